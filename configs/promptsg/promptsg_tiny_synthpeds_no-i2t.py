_base_ = './promptsg_tiny_synthpeds.py'

# Table 3: without Eq. 5, the contrast of each image with all prompts
model = dict(
    heads=dict(
        align=[
            *_base_.losses_triplet,
            _base_.loss_id,
            dict(_base_.loss_supcon, directions=('t2i',)),
        ]
    )
)
