_base_ = ['./transreid_vitb16.py']

# The paper's ViT-BoT: the class token alone, without cameras and parts
model = dict(
    image_encoder=dict(jpm=False),
    heads=dict(
        identify=[
            dict(type='IDHead', feature='v', label_smoothing=0),
            dict(type='TripletHead', feature='v', margin=None),
        ]
    ),
)
