_base_ = [
    '../models/promptsg_rn50.py',
    '../schedules/promptsg_60e.py',
    '../default_runtime.py',
]
