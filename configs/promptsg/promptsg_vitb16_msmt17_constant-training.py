_base_ = [
    '../_base_/methods/promptsg_vitb16_constant-training.py',
    '../_base_/datasets/msmt17.py',
]
