_base_ = ['./promptsg_60e.py']

# 360 steps, for a CPU: 3e-4 for the tower, 1.5e-3 for what is new. The paper's schedule
# would leave it a third of them at full rate.
train_cfg = dict(
    stages=dict(
        align=dict(
            epochs=12,
            optim_wrapper=dict(
                optimizer=dict(lr=1.5e-3),
                paramwise_cfg=dict(custom_keys={'image_encoder': dict(lr_mult=0.2)}),
            ),
            param_scheduler=[
                dict(
                    type='LinearLR',
                    start_factor=0.1,
                    begin=0,
                    end=1,
                    convert_to_iter_based=True,
                ),
                dict(type='CosineAnnealingLR', T_max=11, begin=1, end=12),
            ],
        ),
    ),
)
