# SGD at 0.008, biases at twice that; 5 epochs of warm-up, then cosine to 0.002 of it
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        identify=dict(
            epochs=120,
            trainable=['image_encoder', 'heads.identify'],
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.008, momentum=0.9, weight_decay=1e-4),
                paramwise_cfg=dict(custom_keys={'bias': dict(lr_mult=2)}),
            ),
            param_scheduler=[
                dict(
                    type='WarmupCosineLR', warmup=5, warmup_start=0.01, min_ratio=0.002
                )
            ],
        )
    ),
)
