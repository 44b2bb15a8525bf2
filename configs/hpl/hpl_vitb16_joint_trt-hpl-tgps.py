_base_ = './hpl_vitb16_joint.py'

# Table 4, row 2: of Eq. 10, only prompts made from captions guide (the image token)
model = dict(heads=dict(align=[*_base_.losses_base, _base_.loss_cic, _base_.loss_tgps]))
