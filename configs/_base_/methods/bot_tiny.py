_base_ = [
    '../models/bot_tiny.py',
    '../schedules/bot_tiny.py',
    '../default_runtime.py',
]

custom_hooks = [*_base_.custom_hooks, _base_.sync_buffers]
