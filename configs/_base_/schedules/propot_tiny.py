_base_ = ['./propot_60e.py']

# The same shape in 400 steps, for a CPU, at the rates of irra_tiny.py
new = dict(lr_mult=5)
custom_keys = {'heads.align': new}
keys_of_relation = {'necks': new}

train_cfg = dict(
    stages=dict(
        align=dict(
            epochs=4,
            optim_wrapper=dict(
                optimizer=dict(lr=3e-4), paramwise_cfg=dict(custom_keys=custom_keys)
            ),
            param_scheduler=[
                dict(
                    type='LinearLR',
                    start_factor=0.1,
                    begin=0,
                    end=1,
                    convert_to_iter_based=True,
                ),
                dict(
                    type='CosineAnnealingLR',
                    T_max=3,
                    begin=1,
                    end=4,
                    convert_to_iter_based=True,
                ),
            ],
        )
    )
)
