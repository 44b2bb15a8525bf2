_base_ = ['./clip_60e.py']

# IRRA's recipe with its module. The longest matching key counts: biases of the cross
# modules have the learning rate of biases, as in IRRA, so their keys are longer than
# 'cross'; biases of the vocabulary head have the learning rate of new parts. No key
# matches ln_pre_t, ln_pre_i and ln_post.
custom_keys = {
    **_base_.keys_of_classifier,
    'cross': _base_.new,
    'in_proj_bias': _base_.bias,
    'out_proj.bias': _base_.bias,
    'ln_1.bias': _base_.bias,
    'ln_2.bias': _base_.bias,
    'c_fc.bias': _base_.bias,
    'c_proj.bias': _base_.bias,
    'mlm_head': _base_.new,
    'mlm_head.dense.bias': _base_.new_bias,
    'mlm_head.ln.bias': _base_.new_bias,
    'mlm_head.fc.bias': _base_.new_bias,
}

train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=['image_encoder', 'text_encoder', 'necks', 'heads.align'],
            optim_wrapper=dict(paramwise_cfg=dict(custom_keys=custom_keys)),
        )
    )
)
