_base_ = [
    '../models/propot_tiny.py',
    '../schedules/propot_tiny.py',
    '../default_runtime.py',
]
