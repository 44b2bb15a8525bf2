_base_ = [
    '../_base_/methods/clip_vitb16_infonce.py',
    '../_base_/datasets/icfg-pedes.py',
]
