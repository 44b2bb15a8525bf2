_base_ = ['../_base_/methods/transreid_deitb16.py', '../_base_/datasets/msmt17.py']

model = dict(image_encoder=dict(num_cameras=15))
# Images are erased more often than with ViT
train_pipeline = [
    *_base_.train_pipeline[:4],
    dict(_base_.train_pipeline[4], prob=0.8),
    *_base_.train_pipeline[5:],
]
# On this dataset the learning rate is lower, too
train_cfg = dict(
    stages=dict(identify=dict(optim_wrapper=dict(optimizer=dict(lr=0.005))))
)
