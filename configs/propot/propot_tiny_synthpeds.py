_base_ = [
    '../_base_/models/propot_tiny.py',
    '../_base_/datasets/synthpeds_t2i.py',
    '../_base_/schedules/propot_tiny.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:-1],
            _base_.mask_caption,
            _base_.train_pipeline[-1],
        ]
    )
)
train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=['image_encoder', 'text_encoder', 'necks', 'heads.align'],
            optim_wrapper=dict(paramwise_cfg=dict(custom_keys=_base_.keys_of_relation)),
            # The initial prototypes: features of CLIP as it is before the first step
            init_features=dict(names=['v', 't'], pipeline=_base_.plain_pipeline),
        )
    )
)
