_base_ = ['../_base_/methods/clip_tiny.py', '../_base_/datasets/synthpeds_t2i.py']

# Similarity distribution matching alone
model = dict(heads=dict(align=[_base_.loss_sdm]))
