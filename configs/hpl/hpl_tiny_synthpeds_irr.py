_base_ = './hpl_tiny_synthpeds.py'

# All of HPL, and IRRA's guessing of masked words in stage II. The other losses see
# whole captions
model = dict(
    necks=dict(
        masked_language=dict(
            type='ImplicitRelation',
            reads=('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
            depth=2,
        )
    ),
    heads=dict(align=[*_base_.model.heads.align, dict(type='MaskedLanguageHead')]),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type='MaskCaption', prob=0.15, replace=False),
            _base_.train_pipeline[-1],
        ]
    )
)
train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=['image_encoder', 'text_encoder', 'necks', 'heads.align'],
            optim_wrapper=dict(
                paramwise_cfg=dict(custom_keys={'necks': dict(lr_mult=5)})
            ),
        )
    )
)
