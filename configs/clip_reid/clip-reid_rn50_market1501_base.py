_base_ = [
    '../_base_/methods/clip-reid_rn50_base.py',
    '../_base_/datasets/market1501.py',
]
