# Stage 1: 120 epochs over features that are computed once, 1e-5 to 3.5e-4 in 5 epochs,
# then cosine. Stage 2: 60 epochs, 5e-6, warm-up of 10 epochs, x0.1 at 30 and 50. Epochs
# count from 1 in both, so that neither begins at its lowest learning rate. All as in
# CLIP-ReID's code, but that identity tokens aren't decayed in the steps that don't read
# them (paramwise_cfg.row_decay_mult=1 of stage 1: as in the code).
optim_wrapper = dict(type='AutocastOptimWrapper', precision='auto')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        prompt=dict(
            epochs=120,
            trainable=['prompt_learner'],
            cache_features=['v'],
            # All images in random order, not P x K; features of plain images are kept
            train_dataloader=dict(
                sampler=dict(_delete_=True, type='ItemSampler', batch_size=64),
                dataset=dict(pipeline='plain_pipeline'),
            ),
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=1e-4)
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.078 / 0.35, end=5),
                # last_step=0: its first epoch is 1, and the warm-up is part of it
                dict(type='CosineAnnealingLR', last_step=0, T_max=120, eta_min=1e-6),
            ],
        ),
        encoder=dict(
            epochs=60,
            # The text tower and the tokens stay as stage 1 left them
            trainable=['image_encoder', 'necks', 'heads.encoder'],
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=5e-6, weight_decay=1e-4),
                paramwise_cfg=dict(custom_keys={'bias': dict(lr_mult=2)}),
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.19, end=10),
                dict(type='MultiStepLR', milestones=[29, 49], gamma=0.1),
            ],
        ),
    ),
)
