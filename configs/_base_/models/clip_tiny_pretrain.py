# The tiny CLIP from random weights
model = dict(
    type='DualEncoder',
    image_encoder=dict(
        type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds', img_size=(128, 64)
    ),
    text_encoder=dict(type='CLIPTextEncoder'),
    heads=dict(
        # Pairs of one identity describe each other: they share the target's mass
        contrast=[dict(type='InfoNCEHead', image='v', text='t', targets='labels')]
    ),
    i2i_feature=['v'],
    data_preprocessor=dict(type='ReIDDataPreprocessor'),
)
