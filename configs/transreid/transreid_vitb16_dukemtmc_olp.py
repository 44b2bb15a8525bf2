_base_ = './transreid_vitb16_dukemtmc.py'

# Patches that overlap: 21 x 10 of them
model = dict(image_encoder=dict(stride=12))
