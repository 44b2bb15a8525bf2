_base_ = './irra_vitb16_cuhk-pedes.py'

# The released code's eps of Adam, without its reason: weights in fp16 that are trained
# without a loss scale. Where gradients are below 1e-3, steps are proportional to them,
# and shorter. Here weights stay in fp32.
train_cfg = dict(stages=dict(align=dict(optim_wrapper=dict(optimizer=dict(eps=1e-3)))))
