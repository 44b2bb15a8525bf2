_base_ = [
    '../_base_/models/promptsg_rn50.py',
    '../_base_/datasets/msmt17.py',
    '../_base_/schedules/promptsg_60e.py',
    '../_base_/default_runtime.py',
]
