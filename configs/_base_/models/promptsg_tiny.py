_base_ = ['./promptsg_vitb16.py']

# The tiny CLIP that ships with the project, and the statistics that it was trained with
model = dict(
    image_encoder=dict(
        arch='ViT-Ti-16-synthpeds', pretrained='synthpeds', img_size=(128, 64)
    ),
    necks=dict(interaction=dict(width=128, num_heads=4)),
    data_preprocessor=dict(_delete_=True, type='ReIDDataPreprocessor'),
)
