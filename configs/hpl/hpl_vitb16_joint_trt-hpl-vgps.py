_base_ = './hpl_vitb16_joint.py'

# Table 4, row 3: of Eq. 10, only prompts made from images guide (the caption feature)
model = dict(heads=dict(align=[*_base_.losses_base, _base_.loss_cic, _base_.loss_vgps]))
