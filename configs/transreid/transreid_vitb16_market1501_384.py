_base_ = ['./transreid_vitb16_market1501.py']

img_size = (384, 128)
plain_pipeline = [
    _base_.plain_pipeline[0],
    dict(_base_.plain_pipeline[1], size=img_size),
    *_base_.plain_pipeline[2:],
]
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], size=img_size),
    *_base_.train_pipeline[2:],
]

model = dict(image_encoder=dict(img_size=img_size))
