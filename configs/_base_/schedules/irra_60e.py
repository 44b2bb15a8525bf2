# IRRA's recipe: 60 epochs of 64 random pairs, Adam 1e-5, five epochs from 1e-6, then
# cosine to 0. Biases: twice the rate, no decay. What is new: five times the rate.
bias = dict(lr_mult=2, decay_mult=0)
new = dict(lr_mult=5)
new_bias = dict(lr_mult=5, decay_mult=0)

# For configs that have these parts: a key must be in the name of something trained
keys_of_classifier = {'classifier': new, 'classifier.bias': new_bias}
# Of the keys that are in a name the longest counts. So that biases of the cross modules
# have the learning rate of biases, as in IRRA, they are spelled longer than 'cross';
# those of the vocabulary head have that of new parts. ln_pre_t, ln_pre_i and ln_post
# are in none.
keys_of_relation = {
    'cross': new,
    'in_proj_bias': bias,
    'out_proj.bias': bias,
    'ln_1.bias': bias,
    'ln_2.bias': bias,
    'c_fc.bias': bias,
    'c_proj.bias': bias,
    'mlm_head': new,
    'mlm_head.dense.bias': new_bias,
    'mlm_head.ln.bias': new_bias,
    'mlm_head.fc.bias': new_bias,
}

optim_wrapper = dict(type='AutocastOptimWrapper', precision='bf16')

train_cfg = dict(
    type='StagedTrainLoop',
    stages=dict(
        align=dict(
            epochs=60,
            trainable=['image_encoder', 'text_encoder', 'heads.align'],
            optim_wrapper=dict(
                # The original's eps is 1e-3, for weights in fp16; see configs/irra
                optimizer=dict(type='Adam', lr=1e-5, weight_decay=4e-5),
                paramwise_cfg=dict(custom_keys={'bias': bias}),
            ),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, begin=0, end=6),
                dict(type='CosineAnnealingLR', T_max=55, begin=5, end=60),
            ],
        )
    ),
)
