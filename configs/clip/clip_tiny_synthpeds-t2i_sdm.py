_base_ = [
    '../_base_/models/clip_tiny.py',
    '../_base_/datasets/synthpeds_t2i.py',
    '../_base_/schedules/irra_tiny.py',
    '../_base_/default_runtime.py',
]

# Similarity distribution matching alone
model = dict(heads=dict(align=[_base_.loss_sdm]))
