_base_ = ['./clip_vitb16.py']

# About the temperature that the tiny CLIP was trained to, see hpl_tiny.py
tau = 0.06
loss_infonce = dict(_base_.loss_infonce, tau=tau)
loss_sdm = dict(_base_.loss_sdm, tau=tau)

model = dict(
    image_encoder=dict(
        arch='ViT-Ti-16-synthpeds', pretrained='synthpeds', img_size=(128, 64)
    )
)
