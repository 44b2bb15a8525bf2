_base_ = './clip-reid_vitb16_cuhk03-np.py'

# SIE-OLP: an embedding of each camera, and overlapping patches, 21 x 10 of them
model = dict(image_encoder=dict(stride=12, num_cameras=2))
