_base_ = './promptsg_vitb16.py'

# Table 4: no prompt is composed, in training or at test. So there is no inversion
# network, and no contrast with prompts: all images have the same one.
model = dict(
    train_prompt='constant',
    inference='constant',
    heads=dict(align=[*_base_.losses_triplet, _base_.loss_id]),
)
train_cfg = dict(
    stages=dict(align=dict(trainable=['image_encoder', 'necks', 'heads.align']))
)
