_base_ = [
    '../models/promptsg_vitb16.py',
    '../schedules/promptsg_60e.py',
    '../default_runtime.py',
]
