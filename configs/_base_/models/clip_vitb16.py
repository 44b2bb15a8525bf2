# Two towers of OpenAI's CLIP, and the losses of text-to-image retrieval by name; a
# config lists those that it needs.
loss_infonce = dict(type='InfoNCEHead', image='v', text='t', tau=0.02)  # ITC
loss_sdm = dict(type='SDMHead', image='v', text='t', tau=0.02)
loss_id = dict(type='CrossModalIDHead', image='v', text='t')

model = dict(
    type='DualEncoder',
    image_encoder=dict(
        type='CLIPImageEncoder',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        img_size=(384, 128),
    ),
    text_encoder=dict(type='CLIPTextEncoder'),
    data_preprocessor=dict(type='ReIDDataPreprocessor'),
)
