_base_ = ['./propot_60e.py', './warmup_cosine_tiny.py']

# The same shape in 400 steps, for a CPU, at the learning rates of irra_tiny.py
new = dict(lr_mult=5)

train_cfg = dict(
    stages=dict(
        align=dict(
            _base_.align_4e,
            optim_wrapper=dict(
                optimizer=dict(lr=3e-4),
                paramwise_cfg=dict(custom_keys={'heads.align': new, 'necks': new}),
            ),
        )
    )
)
