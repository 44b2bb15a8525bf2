_base_ = [
    '../models/promptsg_tiny.py',
    '../schedules/promptsg_tiny.py',
    '../default_runtime.py',
]
