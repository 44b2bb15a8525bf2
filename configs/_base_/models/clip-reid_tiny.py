_base_ = ['./clip-reid_vitb16.py']

# Raw dot products have the scale of the features. For CLIP the product of two norms is
# about 70, as in cosines at a temperature of 0.014. For the tiny CLIP it is 160, as at
# 0.006, a tenth of the temperature that it was trained to (1 / 14.9): too sharp to
# learn prompts. So the similarity is the cosine, at about its own temperature.
contrast = dict(similarity='cosine', tau=0.06)

# The tiny CLIP that ships with the project, and the statistics that it was trained with
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
