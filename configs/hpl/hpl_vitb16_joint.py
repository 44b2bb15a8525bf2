_base_ = [
    '../_base_/methods/hpl_vitb16.py',
    '../_base_/datasets/cuhk-pedes_market1501.py',
]
