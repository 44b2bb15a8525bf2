_base_ = './promptsg_tiny_synthpeds.py'

# Table 4: no prompt is composed, in training or at test
model = dict(
    train_prompt='constant',
    inference='constant',
    heads=dict(align=[*_base_.losses_triplet, _base_.loss_id]),
)
train_cfg = dict(
    stages=dict(align=dict(trainable=['image_encoder', 'necks', 'heads.align']))
)
