_base_ = [
    '../models/clip-reid_rn50.py',
    '../schedules/clip-reid_rn50.py',
    '../default_runtime.py',
]

# An epoch of stage 1 takes seconds, and so does a checkpoint
default_hooks = dict(checkpoint=dict(interval=10))
