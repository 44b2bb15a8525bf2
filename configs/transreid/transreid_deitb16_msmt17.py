_base_ = ['./transreid_vitb16_msmt17.py']

# See transreid_deitb16_market1501.py; on this dataset the rate is lower, too
model = dict(
    image_encoder=dict(
        arch='deit_base_patch16_224',
        pretrained='deit_base_distilled_patch16_224.fb_in1k',
    )
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:4],
            dict(_base_.train_pipeline[4], prob=0.8),
            *_base_.train_pipeline[5:],
        ]
    )
)
train_cfg = dict(
    stages=dict(identify=dict(optim_wrapper=dict(optimizer=dict(lr=0.005))))
)
