# CUHK-PEDES (T2I) and Market-1501 (I2I) trained on together, each scored on its own
# test split. Neither can be downloaded by a program: see docs/datasets.md.
_base_ = ['./joint.py']

cuhk_pedes = dict(type='CUHKPEDES', data_root=_base_.data_root + 'CUHK-PEDES')
market1501 = dict(
    type='Market1501', data_root=_base_.data_root + 'Market-1501-v15.09.15'
)

train_dataloader = dict(
    dataset=dict(
        t2i=dict(cuhk_pedes, split='train'),
        i2i=dict(market1501, split='train'),
        # CUHK-PEDES has identities of Market-1501, of its test split too. 'identity'
        # leaves them out of training; the paper's wording is closer to leak='image'.
        leak='identity',
    )
)
test_dataloader = dict(
    market1501=dict(
        _base_.test_loader,
        dataset=dict(market1501, split='test', pipeline='plain_pipeline'),
    ),
    cuhk_pedes=dict(
        _base_.test_loader,
        dataset=dict(cuhk_pedes, split='test', pipeline='plain_pipeline'),
    ),
)
test_evaluator = dict(
    market1501=dict(type='RetrievalMetric', task='i2i'),
    cuhk_pedes=dict(type='RetrievalMetric', task='t2i'),
)
