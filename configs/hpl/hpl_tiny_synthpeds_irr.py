_base_ = './hpl_tiny_synthpeds.py'

# All of HPL, and IRRA's masked words in stage II. The other losses see whole captions
masked_language = dict(
    type='ImplicitRelation',
    reads=('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
    depth=2,
)
model = dict(
    necks=dict(masked_language=masked_language),
    heads=dict(align=[*_base_.model.heads.align, dict(type='MaskedLanguageHead')]),
)
mask = dict(type='MaskCaption', prob=0.15, replace=False)
insert_transforms = [
    dict(pipeline='train_pipeline', before='PackReIDInputs', transform=mask)
]
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
