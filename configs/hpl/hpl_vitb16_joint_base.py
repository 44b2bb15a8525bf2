_base_ = './hpl_vitb16_joint.py'

# Table 3, row 1: one class token, all four base losses read it; no prompts, one stage
model = dict(
    _delete_=True,
    type='DualEncoder',
    image_encoder=dict(
        type='CLIPImageEncoder',
        **{
            k: _base_.model.image_encoder[k] for k in ('arch', 'pretrained', 'img_size')
        },
    ),
    text_encoder=_base_.model.text_encoder,
    heads=dict(
        align=[
            dict(h, feature='v') if 'feature' in h else h for h in _base_.losses_base
        ]
    ),
    data_preprocessor=_base_.model.data_preprocessor,
)
train_cfg = dict(stages=dict(_delete_=True, align=_base_.train_cfg.stages.align))
