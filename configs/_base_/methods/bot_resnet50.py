_base_ = [
    '../models/bot_resnet50.py',
    '../schedules/bot_120e.py',
    '../default_runtime.py',
]
