_base_ = [
    '../_base_/models/promptsg_vitb16.py',
    '../_base_/datasets/market1501.py',
    '../_base_/schedules/promptsg_60e.py',
    '../_base_/default_runtime.py',
]
