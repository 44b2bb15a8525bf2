_base_ = [
    '../_base_/models/clip-reid_tiny.py',
    '../_base_/datasets/synthpeds_i2i.py',
    '../_base_/schedules/clip-reid_tiny.py',
    '../_base_/default_runtime.py',
]

# Stage 1 keeps features of plain images
train_cfg = dict(
    stages=dict(
        prompt=dict(train_dataloader=dict(dataset=dict(pipeline=_base_.plain_pipeline)))
    )
)
# An epoch of stage 1 takes a second, and a checkpoint as long
default_hooks = dict(checkpoint=dict(interval=4))
