# 660 steps of AdamW. The warm-up is long: without it the loss stays at ln(batch).
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        contrast=dict(
            epochs=10,
            trainable=['image_encoder', 'text_encoder', 'logit_scale'],
            optim_wrapper=dict(
                optimizer=dict(type='AdamW', lr=4e-4, weight_decay=0.05, fused=True),
                paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
            ),
            param_scheduler=[
                dict(
                    type='LinearLR',
                    start_factor=0.01,
                    begin=0,
                    end=2,
                    convert_to_iter_based=True,
                ),
                dict(
                    type='CosineAnnealingLR',
                    T_max=8,
                    begin=2,
                    end=10,
                    convert_to_iter_based=True,
                ),
            ],
        )
    ),
)
