_base_ = ['./clip-reid_vitb16.py']

# Raw dot products have the scale of the features. With CLIP's, whose norms make about
# 70, they are like cosines at a temperature of 0.014. The tiny CLIP's make 160, which
# is like 0.006, a tenth of what it was trained to (1 / 14.9): too sharp to learn
# prompts by. So cosines stand here, at about its own temperature.
contrast = dict(similarity='cosine', tau=0.06)

# The tiny CLIP that ships with the project, and the statistics it was trained with
model = dict(
    image_encoder=dict(
        arch='ViT-Ti-16-synthpeds', pretrained='synthpeds', img_size=(128, 64)
    ),
    heads=dict(
        prompt=[dict(_base_.losses_prompt[0], **contrast)],
        encoder=[
            *[dict(head, loss_weight=0.25) for head in _base_.losses_id],
            *_base_.losses_triplet,
            dict(_base_.loss_i2t, **contrast),
        ],
    ),
    data_preprocessor=dict(_delete_=True, type='ReIDDataPreprocessor'),
)
