_base_ = './propot_tiny_synthpeds_dpp-ipp.py'

# Table 4: the contrastive loss is to the initial prototypes, as they are
loss_p2i = dict(_base_.loss_p2i, learner=None)
model = dict(heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_p2i]))
