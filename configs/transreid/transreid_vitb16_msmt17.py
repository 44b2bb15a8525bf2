_base_ = ['../_base_/methods/transreid_vitb16.py', '../_base_/datasets/msmt17.py']

model = dict(image_encoder=dict(num_cameras=15))
