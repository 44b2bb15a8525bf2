_base_ = ['./bot_resnet50_market1501.py']

model = dict(
    heads=dict(
        identify=[
            *_base_.model.heads.identify,
            dict(type='CenterHead', feature='f_t', alpha=0.5, loss_weight=5e-4),
        ]
    )
)
