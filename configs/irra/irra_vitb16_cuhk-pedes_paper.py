_base_ = './irra_vitb16_cuhk-pedes.py'

# As in the paper: SDM and identities see whole captions, masked ones are encoded beside
# them. The released code, and so the published scores, differ: see irra_vitb16.py
model = dict(train_captions='clean')
