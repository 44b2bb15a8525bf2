_base_ = './irra_vitb16_rstpreid.py'

# The epoch with the best R1 on the benchmark's split 'val' is kept, and scored
val_cfg = dict(type='BenchmarkValLoop')
val_dataloader = dict(
    rstpreid_val=dict(
        _base_.test_loader,
        dataset=dict(_base_.rstpreid, split='val', pipeline=_base_.plain_pipeline),
    )
)
val_evaluator = dict(rstpreid_val=dict(type='RetrievalMetric', task='t2i'))
default_hooks = dict(checkpoint=dict(save_best='rstpreid_val/R1', rule='greater'))
