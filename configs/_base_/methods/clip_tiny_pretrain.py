_base_ = [
    '../models/clip_tiny_pretrain.py',
    '../schedules/clip_tiny_pretrain.py',
    '../default_runtime.py',
]
