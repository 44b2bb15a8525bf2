_base_ = [
    '../_base_/models/clip_vitb16.py',
    '../_base_/datasets/icfg-pedes.py',
    '../_base_/schedules/irra_60e.py',
    '../_base_/default_runtime.py',
]

# Similarity distribution matching alone
model = dict(heads=dict(align=[_base_.loss_sdm]))
