# IRRA's recipe without its module: 60 epochs of 64 random pairs, Adam 1e-5, five epochs
# up from 1e-6, then cosine to 0. Biases have twice the learning rate and no decay, new
# parts five times the learning rate. Words and positions that a batch lacks aren't
# decayed: the released code decays them as well (paramwise_cfg.row_decay_mult=1), with
# an eps of Adam under which they hardly move; with 1e-8 they vanish in a few epochs.
bias = dict(lr_mult=2, decay_mult=0)
new = dict(lr_mult=5)
new_bias = dict(lr_mult=5, decay_mult=0)

# For configs with a classifier: each key must match a parameter that is trained
keys_of_classifier = {'classifier': new, 'classifier.bias': new_bias}

optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        align=dict(
            epochs=60,
            trainable=['image_encoder', 'text_encoder', 'heads.align'],
            optim_wrapper=dict(
                # The released code's eps is 1e-3, for weights in fp16; see configs/irra
                optimizer=dict(type='Adam', lr=1e-5, weight_decay=4e-5),
                paramwise_cfg=dict(custom_keys={'bias': bias}),
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, begin=0, end=6),
                dict(type='CosineAnnealingLR', T_max=55, begin=5, end=60),
            ],
        )
    ),
)
