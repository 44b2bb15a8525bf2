# Propot's recipe: 60 epochs of 64 random pairs, Adam with weight decay 4e-5, 1e-5 for
# the towers and 1e-4 for all else, six epochs up from a tenth of it, then cosine to 0.
# Biases of the towers have twice the learning rate and no decay, as in IRRA. Words,
# positions and identities that a batch lacks have none either, see clip_60e.py.
new = dict(lr_mult=10)
# Without necks: each key must match a parameter that is trained
custom_keys = {'heads.align': new, 'bias': dict(lr_mult=2, decay_mult=0)}

optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        align=dict(
            epochs=60,
            trainable=['image_encoder', 'text_encoder', 'necks', 'heads.align'],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=1e-5, weight_decay=4e-5),
                paramwise_cfg=dict(custom_keys={**custom_keys, 'necks': new}),
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, begin=0, end=7),
                dict(type='CosineAnnealingLR', T_max=54, begin=6, end=60),
            ],
            # The initial prototypes: features of CLIP as it is before the first step
            init_features=dict(names=['v', 't'], pipeline='plain_pipeline'),
        )
    ),
)
