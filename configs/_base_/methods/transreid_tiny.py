_base_ = [
    '../models/transreid_tiny.py',
    '../schedules/transreid_tiny.py',
    '../default_runtime.py',
]
