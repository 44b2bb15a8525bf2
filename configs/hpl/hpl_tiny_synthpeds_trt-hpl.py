_base_ = './hpl_tiny_synthpeds.py'

# Table 3, row 3, and Table 4, row 4: everything but the regularization of Eq. 12
model = dict(heads=dict(align=[*_base_.losses_base, _base_.loss_cic, _base_.loss_ilpa]))
