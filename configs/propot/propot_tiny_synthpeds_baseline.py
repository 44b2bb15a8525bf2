_base_ = './propot_tiny_synthpeds_dpp-ipp.py'

# Table 4, first row: no prototypes
model = dict(
    type='DualEncoder',
    prototypes=None,
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id]),
)
train_cfg = dict(stages=dict(align=dict(init_features=None)))
