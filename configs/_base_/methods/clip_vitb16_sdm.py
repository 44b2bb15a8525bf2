_base_ = './clip_vitb16.py'

# Similarity distribution matching alone
model = dict(heads=dict(align=[_base_.loss_sdm]))
