# CUHK-PEDES, text to image
_base_ = ['./t2i.py']

cuhk_pedes = dict(type='CUHKPEDES', data_root=_base_.data_root + 'CUHK-PEDES')

train_dataloader = dict(dataset=cuhk_pedes)
test_dataloader = dict(
    cuhk_pedes=dict(
        _base_.test_loader,
        dataset=dict(cuhk_pedes, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(cuhk_pedes=dict(type='RetrievalMetric', task='t2i'))
