_base_ = [
    '../_base_/methods/promptsg_vitb16_no-t2i.py',
    '../_base_/datasets/market1501.py',
]
