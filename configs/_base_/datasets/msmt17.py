# MSMT17, image to image
_base_ = ['./i2i.py']

msmt17 = dict(
    type='MSMT17',
    data_root=_base_.data_root + 'MSMT17',
    with_val=True,  # 32,621 images, as CLIP-ReID and TransReID train on
)

train_dataloader = dict(dataset=msmt17)
test_dataloader = dict(
    msmt17=dict(
        _base_.test_loader,
        dataset=dict(msmt17, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(msmt17=dict(type='RetrievalMetric', task='i2i'))
