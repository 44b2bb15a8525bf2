_base_ = [
    '../_base_/models/transreid_base_vitb16.py',
    '../_base_/datasets/msmt17.py',
    '../_base_/schedules/transreid_120e.py',
    '../_base_/default_runtime.py',
]
