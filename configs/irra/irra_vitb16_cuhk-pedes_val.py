_base_ = './irra_vitb16_cuhk-pedes.py'

# The epoch with the best R1 on the benchmark's split 'val' is kept, and scored
val_cfg = dict(type='BenchmarkValLoop')
val_dataloader = dict(
    cuhk_pedes_val=dict(
        _base_.test_loader,
        dataset=dict(_base_.cuhk_pedes, split='val', pipeline=_base_.plain_pipeline),
    )
)
val_evaluator = dict(cuhk_pedes_val=dict(type='RetrievalMetric', task='t2i'))
default_hooks = dict(checkpoint=dict(save_best='cuhk_pedes_val/R1', rule='greater'))
