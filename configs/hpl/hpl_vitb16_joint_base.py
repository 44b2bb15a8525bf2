_base_ = './hpl_vitb16_joint_trt.py'

# Table 3, row 1: one class token, all four base losses read it; no prompts, one stage
tower = {k: _base_.model.image_encoder[k] for k in ('arch', 'pretrained', 'img_size')}
model = dict(
    image_encoder=dict(_delete_=True, type='CLIPImageEncoder', **tower),
    heads=dict(
        align=[
            dict(h, feature='v') if 'feature' in h else h for h in _base_.losses_base
        ]
    ),
)
