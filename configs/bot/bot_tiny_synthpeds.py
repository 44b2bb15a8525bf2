_base_ = [
    '../_base_/models/bot_tiny.py',
    '../_base_/datasets/synthpeds_i2i.py',
    '../_base_/schedules/bot_tiny.py',
    '../_base_/default_runtime.py',
]

custom_hooks = [*_base_.custom_hooks, _base_.sync_buffers]
