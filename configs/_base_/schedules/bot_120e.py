# Adam; a warm-up from 0.01 of the learning rate at epoch 0 to all of it at epoch 10, a
# tenth from epochs 40 and 70 on, counted from 1: as the released code steps it
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        identify=dict(
            epochs=120,
            trainable=['image_encoder', 'necks', 'heads.identify'],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=5e-4)
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.109, begin=0, end=10),
                dict(type='MultiStepLR', milestones=[39, 69], gamma=0.1),
            ],
        )
    ),
)
