# CUHK03 under the new protocol, image to image
_base_ = ['./i2i.py']

cuhk03_np = dict(
    type='CUHK03NP',
    data_root=_base_.data_root + 'cuhk03-np',
    detector='labeled',  # or 'detected', which is another benchmark
)

train_dataloader = dict(dataset=cuhk03_np)
test_dataloader = dict(
    cuhk03_np=dict(
        _base_.test_loader,
        dataset=dict(cuhk03_np, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(cuhk03_np=dict(type='RetrievalMetric', task='i2i'))
