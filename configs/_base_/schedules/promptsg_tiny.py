_base_ = ['./promptsg_60e.py', './warmup_cosine_tiny.py']

# 360 steps, for a CPU: 3e-4 for the tower, 1.5e-3 for new parts. The paper's schedule
# would have the full learning rate in a third of them.
train_cfg = dict(
    stages=dict(
        align=dict(
            epochs=12,
            optim_wrapper=dict(
                optimizer=dict(lr=1.5e-3),
                paramwise_cfg=dict(custom_keys={'image_encoder': dict(lr_mult=0.2)}),
            ),
            param_scheduler=[
                _base_.warm_up,
                dict(type='CosineAnnealingLR', T_max=11, begin=1, end=12),
            ],
        ),
    ),
)
