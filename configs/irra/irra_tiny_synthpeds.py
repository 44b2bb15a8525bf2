_base_ = [
    '../_base_/models/irra_tiny.py',
    '../_base_/datasets/synthpeds_t2i.py',
    '../_base_/schedules/irra_tiny.py',
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
            optim_wrapper=dict(
                paramwise_cfg=dict(
                    custom_keys={**_base_.keys_of_classifier, **_base_.keys_of_relation}
                )
            ),
        )
    )
)
