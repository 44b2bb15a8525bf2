_base_ = [
    '../models/bot_tiny.py',
    '../schedules/bot_tiny.py',
    '../default_runtime.py',
]
