_base_ = './clip-reid_vitb16_msmt17.py'

# SIE-OLP: an embedding of each camera, and overlapping patches, 21 x 10 of them
model = dict(image_encoder=dict(stride=12, num_cameras=15))
