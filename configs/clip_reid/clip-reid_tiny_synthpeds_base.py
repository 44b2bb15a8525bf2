_base_ = [
    '../_base_/methods/clip-reid_tiny_base.py',
    '../_base_/datasets/synthpeds_i2i.py',
]
