_base_ = ['./clip_tiny.py']

# IRRA with two blocks, from the tiny CLIP; see irra_vitb16.py
loss_mlm = dict(type='MaskedLanguageHead')

model = dict(
    train_captions='masked',
    necks=dict(
        masked_language=dict(
            type='ImplicitRelation',
            # 'eot', the captions' ends: padding is masked in the blocks, and cut
            reads=('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
            depth=2,
        )
    ),
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_mlm]),
)
# Captions are masked once they are tokens
insert_transforms = [
    dict(
        pipeline='train_pipeline',
        before='PackReIDInputs',
        transform=dict(type='MaskCaption', prob=0.15, replace=False),
    )
]
