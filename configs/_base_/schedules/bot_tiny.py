_base_ = ['./bot_120e.py']

# The recipe's shape in 360 steps, for a CPU
train_cfg = dict(
    stages=dict(
        identify=dict(
            epochs=12,
            optim_wrapper=dict(optimizer=dict(lr=1e-3)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.25, begin=0, end=4),
                dict(type='MultiStepLR', milestones=[8, 11], gamma=0.1),
            ],
        )
    )
)
