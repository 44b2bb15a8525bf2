_base_ = ['./clip-reid_vit.py']

# The recipe's shape for a CPU: 600 steps of stage 1, which take seconds, and 360 of
# stage 2. A tower of 3 M parameters, and tokens in few steps, need larger learning
# rates.
train_cfg = dict(
    stages=dict(
        prompt=dict(
            epochs=20,
            optim_wrapper=dict(optimizer=dict(lr=5e-3)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.2, end=3),
                dict(type='CosineAnnealingLR', last_step=0, T_max=20, eta_min=1e-4),
            ],
        ),
        encoder=dict(
            epochs=12,
            optim_wrapper=dict(optimizer=dict(lr=3e-4)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.19, end=3),
                dict(type='MultiStepLR', milestones=[8, 11], gamma=0.1),
            ],
        ),
    ),
)
