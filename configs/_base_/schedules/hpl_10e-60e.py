# Stage I: 10 epochs, Adam, x0.8 each epoch, inversion networks 5e-5, identity tokens
# 0.02 (the paper). Stage II: 60 epochs, 1e-6 to 1e-5 in 5 epochs, then cosine (the
# paper). It is IRRA's schedule, so optimizer, weight decay, biases and x5 for new heads
# are IRRA's. The paper names no weight decay: words and positions that a batch lacks
# have none: Adam would move them to zero (paramwise_cfg.row_decay_mult=1 decays all).
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        construct=dict(
            epochs=10,
            # Plain images, as in CLIP-ReID's first stage
            train_dataloader=dict(dataset=dict(pipeline='plain_pipeline')),
            trainable=[
                'prompt_learner',
                'image_inversion',
                'text_inversion',
                'heads.construct',
            ],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=5e-5),
                paramwise_cfg=dict(
                    custom_keys={'prompt_learner.id_tokens': dict(lr_mult=400)}
                ),
            ),
            param_scheduler=[dict(type='ExponentialLR', gamma=0.8)],
        ),
        align=dict(
            epochs=60,
            # Et~, identity tokens and inversion networks stay as stage I left them
            trainable=['image_encoder', 'text_encoder', 'heads.align'],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=1e-5, weight_decay=4e-5),
                paramwise_cfg=dict(
                    custom_keys={
                        'heads.align': dict(lr_mult=5),
                        'bias': dict(lr_mult=2, decay_mult=0),
                    }
                ),
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, begin=0, end=6),
                dict(type='CosineAnnealingLR', T_max=55, begin=5, end=60),
            ],
        ),
    ),
)
