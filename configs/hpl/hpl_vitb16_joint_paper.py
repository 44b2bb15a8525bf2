_base_ = './hpl_vitb16_joint.py'

# The formulas as printed: bare cosine logits (tau=1), distances of raw features, Eq. 11
# as a sum over the batch
model = dict(
    heads=dict(
        construct=_base_.losses_construct_literal,
        align=[
            *_base_.losses_base,
            _base_.loss_cic_literal,
            _base_.loss_ilpa_literal,
            _base_.loss_cmpr,
        ],
    )
)
