_base_ = ['./irra_tiny.py']

# Propot from the tiny CLIP; see propot_vitb16.py
loss_p2i = dict(
    type='PrototypeContrastHead',
    learner=dict(type='PrototypeLearner'),
    tau=_base_.tau,
    loss_weight=0.2,
)

model = dict(
    type='Propot',
    prototypes='mean',
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_p2i, _base_.loss_mlm]),
)
