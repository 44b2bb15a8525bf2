_base_ = ['../_base_/datasets/synthpeds.py', '../_base_/default_runtime.py']

# Trains the tiny CLIP that ships with the project, on pedestrians that are in no
# benchmark split, with CLIP's symmetric contrastive loss; scored zero-shot on the
# default SynthPeds. The warm-up is long: without it the loss stays at ln(batch).
pretrain_root = 'data/synthpeds-pretrain/'
image_cache = 'data/cache-pretrain'
data_preparers = [
    _base_.data_preparers[0],
    dict(
        type='SynthPeds',
        out=pretrain_root,
        size='pretrain',
        seed=0,
        # Milder cameras than the benchmark's: that gap is what fine-tuning is for
        difficulty='easy',
    ),
    _base_.data_preparers[1],
]

model = dict(
    type='DualEncoder',
    image_encoder=dict(
        type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds', img_size=(128, 64)
    ),
    text_encoder=dict(type='CLIPTextEncoder'),
    heads=dict(
        # Pairs of one person describe each other: they share the target's mass
        contrast=[dict(type='InfoNCEHead', image='v', text='t', targets='labels')]
    ),
    i2i_feature=['v'],
    data_preprocessor=dict(type='ReIDDataPreprocessor'),
)

train_dataloader = dict(
    batch_size=96,
    sampler=dict(_delete_=True, type='CaptionSampler', batch_size=96),
    dataset=dict(
        _delete_=True,
        **dict(_base_.t2i, data_root=pretrain_root + 'CUHK-PEDES', split='train'),
        pipeline=_base_.train_pipeline,
    ),
)

optim_wrapper = dict(type='AutocastOptimWrapper', precision='bf16')
train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        contrast=dict(
            epochs=10,
            trainable=['image_encoder', 'text_encoder', 'logit_scale'],
            optim_wrapper=dict(
                optimizer=dict(type='AdamW', lr=4e-4, weight_decay=0.05, fused=True),
                paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
            ),
            param_scheduler=[
                dict(
                    type='LinearLR',
                    start_factor=0.01,
                    begin=0,
                    end=2,
                    convert_to_iter_based=True,
                ),
                dict(
                    type='CosineAnnealingLR',
                    T_max=8,
                    begin=2,
                    end=10,
                    convert_to_iter_based=True,
                ),
            ],
        )
    ),
)
