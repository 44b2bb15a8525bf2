_base_ = ['./clip_vitb16.py']

# IRRA: masked words are predicted from the rest of the caption and the image. The
# module is for training alone; at test the two towers run without it.
loss_mlm = dict(type='MaskedLanguageHead')

model = dict(
    # The released code, whose scores are published, gives the masked captions to all
    # losses: its masking writes into the array that the captions are views of. Its
    # author says so, and that scores drop a little without. The paper's reading is
    # 'clean' (irra_*_paper.py).
    train_captions='masked',
    necks=dict(
        masked_language=dict(
            type='ImplicitRelation',
            reads=('masked_tokens', 'image_tokens', 'mask_labels'),
            depth=4,
            num_heads=8,
        )
    ),
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_mlm]),
    # IRRA's blocks attend to padding too, so that captions must not be cut before it
    data_preprocessor=dict(trim_captions=False),
)
# Captions are masked once they are tokens
insert_transforms = [
    dict(
        pipeline='train_pipeline',
        before='PackReIDInputs',
        transform=dict(type='MaskCaption', prob=0.15, replace=False),
    )
]
