_base_ = './hpl_vitb16_joint.py'

# The formulas as printed: bare cosine logits (tau=1), distances of raw features, Eq. 11
# as a sum over the batch. The default config says what is changed there, and why.
model = dict(
    heads=dict(
        construct=[
            dict(_base_.losses_construct[0], tau=1.0),
            dict(_base_.losses_construct[1], distance='raw'),
        ],
        align=[
            *_base_.losses_base,
            dict(_base_.loss_cic, tau=1.0, reduce='sum'),
            dict(_base_.loss_ilpa, distance='raw'),
            _base_.loss_cmpr,
        ],
    )
)
