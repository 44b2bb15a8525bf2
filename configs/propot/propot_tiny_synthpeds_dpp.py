_base_ = './propot_tiny_synthpeds_dpp-ipp.py'

# Table 4: prototypes are adapted by learnable vectors alone
loss_p2i = dict(
    _base_.loss_p2i,
    learner=dict(_base_.loss_p2i.learner, enrich=[]),
)
model = dict(heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_p2i]))
