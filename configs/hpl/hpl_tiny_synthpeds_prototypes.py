_base_ = './hpl_tiny_synthpeds.py'

# All of HPL, and Propot's prototypes in stage II. Before it the towers are CLIP's
model = dict(
    prototypes='mean',
    heads=dict(
        align=[
            *_base_.model.heads.align,
            dict(
                type='PrototypeContrastHead',
                learner=dict(type='PrototypeLearner'),
                tau=_base_.tau,
                loss_weight=0.2,
            ),
        ]
    ),
)
train_cfg = dict(
    stages=dict(
        align=dict(init_features=dict(names=['v', 't'], pipeline=_base_.plain_pipeline))
    )
)
