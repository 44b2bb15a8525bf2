_base_ = [
    '../models/clip-reid_tiny.py',
    '../schedules/clip-reid_tiny.py',
    '../default_runtime.py',
]

# An epoch of stage 1 takes a second, and so does a checkpoint
default_hooks = dict(checkpoint=dict(interval=4))
