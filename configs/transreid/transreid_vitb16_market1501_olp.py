_base_ = './transreid_vitb16_market1501.py'

# Patches that overlap: 21 x 10 of them
model = dict(image_encoder=dict(stride=12))
