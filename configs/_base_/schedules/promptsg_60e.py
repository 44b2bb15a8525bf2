# One stage of 60 epochs: Adam, 5e-6 for the tower and 5e-5 for new parts, x0.1 every 20
# epochs, no warm-up (the paper); weight decay is CLIP-ReID's.
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        align=dict(
            epochs=60,
            trainable=['image_encoder', 'inversion', 'necks', 'heads.align'],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=5e-5, weight_decay=1e-4),
                paramwise_cfg=dict(
                    custom_keys={'image_encoder': dict(lr_mult=0.1)},
                ),
            ),
            param_scheduler=[dict(type='StepLR', step_size=20, gamma=0.1)],
        ),
    ),
)
