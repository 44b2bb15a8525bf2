_base_ = ['./transreid_vitb16.py']

# All of TransReID with 3.3 M parameters, from random weights
model = dict(
    image_encoder=dict(
        arch='vit_tiny_patch16_224',
        pretrained=None,
        img_size=(128, 64),
        num_cameras=6,
        drop_path=0.0,
        arch_options=dict(depth=6),
    )
)
