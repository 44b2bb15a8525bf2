_base_ = ['./hpl_10e-60e.py']

# The paper's shape in 600 steps, for a CPU. Towers of 3 M parameters want larger steps
# than ViT-B/16.
train_cfg = dict(
    stages=dict(
        construct=dict(
            epochs=1,
            optim_wrapper=dict(
                optimizer=dict(lr=1e-3),
                paramwise_cfg=dict(
                    custom_keys={'prompt_learner.id_tokens': dict(lr_mult=20)}
                ),
            ),
        ),
        align=dict(
            epochs=5,
            optim_wrapper=dict(optimizer=dict(lr=3e-4)),
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
                    T_max=4,
                    begin=1,
                    end=5,
                    convert_to_iter_based=True,
                ),
            ],
        ),
    ),
)
