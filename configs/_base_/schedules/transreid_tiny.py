_base_ = ['./transreid_120e.py']

# The recipe's shape in 360 steps, for a CPU. Adam: the SGD of the recipe is for
# pre-trained weights.
train_cfg = dict(
    stages=dict(
        identify=dict(
            epochs=12,
            optim_wrapper=dict(
                optimizer=dict(_delete_=True, type='Adam', lr=1e-3, weight_decay=1e-4)
            ),
            param_scheduler=[
                dict(
                    type='WarmupCosineLR', warmup=2, warmup_start=0.01, min_ratio=0.002
                )
            ],
        )
    )
)
