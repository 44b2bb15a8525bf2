_base_ = ['./clip-reid_vit.py']

# Stage 1: 60 epochs. Stage 2: 120 epochs, 3.5e-4, x0.1 at 40 and 70.
train_cfg = dict(
    stages=dict(
        prompt=dict(
            epochs=60,
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.078 / 0.35, end=5),
                dict(type='CosineAnnealingLR', last_step=0, T_max=60, eta_min=1e-6),
            ],
        ),
        encoder=dict(
            epochs=120,
            optim_wrapper=dict(optimizer=dict(lr=3.5e-4, weight_decay=5e-4)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.109, end=10),
                dict(type='MultiStepLR', milestones=[39, 69], gamma=0.1),
            ],
        ),
    ),
)
