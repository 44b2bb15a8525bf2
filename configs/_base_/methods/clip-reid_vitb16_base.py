_base_ = './clip-reid_vitb16.py'

# The baseline: no prompts, so one stage, and the weight of the identity losses is 1
model = dict(
    _delete_=True,
    type='ImageReID',
    image_encoder=_base_.model.image_encoder,
    necks=_base_.model.necks,
    i2i_feature=_base_.model.i2i_feature,
    heads=dict(encoder=[*_base_.losses_id, *_base_.losses_triplet]),
    data_preprocessor=_base_.model.data_preprocessor,
)
train_cfg = dict(stages=dict(_delete_=True, encoder=_base_.train_cfg.stages.encoder))
