_base_ = [
    '../models/hpl_tiny.py',
    '../schedules/hpl_tiny.py',
    '../default_runtime.py',
]
