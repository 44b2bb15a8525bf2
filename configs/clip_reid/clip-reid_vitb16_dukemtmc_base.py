_base_ = [
    '../_base_/methods/clip-reid_vitb16_base.py',
    '../_base_/datasets/dukemtmc.py',
]
