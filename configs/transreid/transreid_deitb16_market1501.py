_base_ = ['../_base_/methods/transreid_deitb16.py', '../_base_/datasets/market1501.py']

model = dict(image_encoder=dict(num_cameras=6))
# Images are erased more often than with ViT
train_pipeline = [
    *_base_.train_pipeline[:4],
    dict(_base_.train_pipeline[4], prob=0.8),
    *_base_.train_pipeline[5:],
]
