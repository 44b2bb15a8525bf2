_base_ = './irra_vitb16_icfg-pedes.py'

# ICFG-PEDES has no split 'val': the epoch with the best R1 on a tenth of the training
# identities, which are not trained on, is kept, and scored
identities = dict(
    type='HoldOut', dataset=dict(_base_.icfg_pedes, split='train'), fraction=0.1, seed=0
)
train_dataloader = dict(
    dataset=dict(_delete_=True, **identities, part='train', pipeline='train_pipeline')
)
val_cfg = dict(type='BenchmarkValLoop')
val_dataloader = dict(
    icfg_pedes_holdout=dict(
        _base_.test_loader,
        dataset=dict(identities, part='val', pipeline=_base_.plain_pipeline),
    )
)
val_evaluator = dict(icfg_pedes_holdout=dict(type='RetrievalMetric', task='t2i'))
default_hooks = dict(checkpoint=dict(save_best='icfg_pedes_holdout/R1', rule='greater'))
