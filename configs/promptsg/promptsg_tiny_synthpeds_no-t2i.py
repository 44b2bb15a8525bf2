_base_ = './promptsg_tiny_synthpeds.py'

# Table 3: without Eq. 6, the contrast of each prompt with all images
model = dict(
    heads=dict(
        align=[
            *_base_.losses_triplet,
            _base_.loss_id,
            dict(_base_.loss_supcon, directions=('i2t',)),
        ]
    )
)
