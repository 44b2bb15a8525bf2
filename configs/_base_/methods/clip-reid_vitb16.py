_base_ = [
    '../models/clip-reid_vitb16.py',
    '../schedules/clip-reid_vit.py',
    '../default_runtime.py',
]

# An epoch of stage 1 takes seconds, and so does a checkpoint
default_hooks = dict(checkpoint=dict(interval=10))
