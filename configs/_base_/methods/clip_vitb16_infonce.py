_base_ = './clip_vitb16.py'

# InfoNCE between pairs (ITC), as IRRA's baseline
model = dict(heads=dict(align=[_base_.loss_infonce]))
