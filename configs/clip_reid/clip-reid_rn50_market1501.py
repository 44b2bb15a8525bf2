_base_ = [
    '../_base_/models/clip-reid_rn50.py',
    '../_base_/datasets/market1501.py',
    '../_base_/schedules/clip-reid_rn50.py',
    '../_base_/default_runtime.py',
]

# Stage 1 keeps features of plain images
train_cfg = dict(
    stages=dict(
        prompt=dict(train_dataloader=dict(dataset=dict(pipeline=_base_.plain_pipeline)))
    )
)
# An epoch of stage 1 takes seconds, and a checkpoint as long
default_hooks = dict(checkpoint=dict(interval=10))
