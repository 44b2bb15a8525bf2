_base_ = ['../_base_/methods/clip_tiny.py', '../_base_/datasets/synthpeds_t2i.py']

# InfoNCE between pairs (ITC), as IRRA's baseline
model = dict(heads=dict(align=[_base_.loss_infonce]))
