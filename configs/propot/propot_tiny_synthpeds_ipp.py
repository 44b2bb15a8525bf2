_base_ = './propot_tiny_synthpeds_dpp-ipp.py'

# Table 4: prototypes are enriched by instances of both modalities alone
loss_p2i = dict(
    _base_.loss_p2i,
    learner=dict(_base_.loss_p2i.learner, adapt=False),
)
model = dict(heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_p2i]))
