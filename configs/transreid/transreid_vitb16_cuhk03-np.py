_base_ = ['../_base_/methods/transreid_vitb16.py', '../_base_/datasets/cuhk03-np.py']

model = dict(image_encoder=dict(num_cameras=2))
