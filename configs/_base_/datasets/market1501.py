# Market-1501, image to image
_base_ = ['./i2i.py']

market1501 = dict(
    type='Market1501', data_root=_base_.data_root + 'Market-1501-v15.09.15'
)

train_dataloader = dict(dataset=market1501)
test_dataloader = dict(
    market1501=dict(
        _base_.test_loader,
        dataset=dict(market1501, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(market1501=dict(type='RetrievalMetric', task='i2i'))
