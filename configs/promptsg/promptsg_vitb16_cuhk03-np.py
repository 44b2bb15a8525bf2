_base_ = [
    '../_base_/models/promptsg_vitb16.py',
    '../_base_/datasets/cuhk03-np.py',
    '../_base_/schedules/promptsg_60e.py',
    '../_base_/default_runtime.py',
]
