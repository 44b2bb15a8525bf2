_base_ = './hpl_tiny_synthpeds.py'

# Table 3, row 2, and Table 4, row 1: the Task-Routed Transformer, no prompts, one stage
model = dict(
    _delete_=True,
    type='DualEncoder',
    image_encoder=_base_.model.image_encoder,
    text_encoder=_base_.model.text_encoder,
    heads=dict(align=_base_.losses_base),
    data_preprocessor=_base_.model.data_preprocessor,
)
train_cfg = dict(stages=dict(_delete_=True, align=_base_.train_cfg.stages.align))
