_base_ = ['./hpl_vitb16.py']

# About the temperature that the tiny CLIP was trained to, 1 / 14.9. At the 0.02 of
# OpenAI's CLIP, SDM gives little gradient to pairs that are not close yet, and learns
# more slowly.
tau = 0.06
losses_construct = [
    dict(_base_.losses_construct[0], tau=tau),
    _base_.losses_construct[1],
]
losses_base = [dict(_base_.losses_base[0], tau=tau), *_base_.losses_base[1:]]
loss_cic = dict(_base_.loss_cic, tau=tau)

# The tiny CLIP that ships with the project: 7.9 M parameters, trained on identities of
# SynthPeds that are in no benchmark split (configs/clip/clip_tiny_synthpeds.py)
model = dict(
    image_encoder=dict(
        arch='ViT-Ti-16-synthpeds', pretrained='synthpeds', img_size=(128, 64)
    ),
    image_inversion=dict(depth=2),
    text_inversion=dict(depth=2),
    heads=dict(
        construct=losses_construct,
        align=[*losses_base, loss_cic, _base_.loss_ilpa, _base_.loss_cmpr],
    ),
)
