_base_ = ['./hpl_vitb16.py']

# The tiny CLIP that ships with the project: 7.9 M parameters, trained on pedestrians of
# SynthPeds that are in no benchmark split (configs/clip/clip_tiny_synthpeds.py)
model = dict(
    image_encoder=dict(
        arch='ViT-Ti-16-synthpeds', pretrained='synthpeds', img_size=(128, 64)
    ),
    image_inversion=dict(depth=2),
    text_inversion=dict(depth=2),
)
