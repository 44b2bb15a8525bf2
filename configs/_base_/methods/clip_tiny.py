_base_ = [
    '../models/clip_tiny.py',
    '../schedules/clip_tiny.py',
    '../default_runtime.py',
]
