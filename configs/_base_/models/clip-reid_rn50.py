_base_ = ['./clip-reid_vitb16.py']

# i2i_feature: 2,048 + 1,024 before BN
model = dict(
    image_encoder=dict(
        _delete_=True,
        type='CLIPResNetEncoder',
        arch='RN50-quickgelu',
        pretrained='openai',
        img_size=(256, 128),
        last_stride=1,
    ),
    heads=dict(
        encoder=[*_base_.losses_id, *_base_.losses_triplet, _base_.loss_i2t],  # 1, 1, 1
    ),
    data_preprocessor=dict(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
)
