_base_ = ['./hpl_10e-60e.py', './warmup_cosine_tiny.py']

# The paper's shape in 600 steps, for a CPU. Towers of 3 M parameters need larger
# learning rates than ViT-B/16.
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
            param_scheduler=[_base_.warm_up, dict(_base_.cosine, T_max=4, end=5)],
        ),
    ),
)
