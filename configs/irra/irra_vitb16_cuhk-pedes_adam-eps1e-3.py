_base_ = './irra_vitb16_cuhk-pedes.py'

# The released code's eps of Adam, without its reason: weights in fp16 that are trained
# without a loss scale. Where gradients are below 1e-3, steps are proportional to them,
# and shorter. Here weights stay in fp32.
#
# It decays every parameter, rows of the token table that no caption reads among them;
# with this eps they hardly move.
released = dict(optimizer=dict(eps=1e-3), paramwise_cfg=dict(row_decay_mult=1))
train_cfg = dict(stages=dict(align=dict(optim_wrapper=released)))
