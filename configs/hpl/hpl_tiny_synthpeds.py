_base_ = [
    '../_base_/models/hpl_tiny.py',
    '../_base_/datasets/synthpeds.py',
    '../_base_/schedules/hpl_tiny.py',
    '../_base_/default_runtime.py',
]

# Stage I trains on plain images, as CLIP-ReID's first stage does
train_cfg = dict(
    stages=dict(
        construct=dict(
            train_dataloader=dict(dataset=dict(pipeline=_base_.plain_pipeline))
        )
    )
)
