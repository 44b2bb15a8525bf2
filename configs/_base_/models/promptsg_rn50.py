_base_ = ['./promptsg_vitb16.py']

# Tokens of the attention pool have 1,024 channels; the interaction projects them to 512
model = dict(
    image_encoder=dict(
        _delete_=True,
        type='CLIPResNetEncoder',
        arch='RN50-quickgelu',
        pretrained='openai',
        img_size=(256, 128),
    ),
    data_preprocessor=dict(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
)
