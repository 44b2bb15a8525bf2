_base_ = './promptsg_tiny_synthpeds.py'

# Tables 3 and 5: without the interaction; v is classified, and v is compared
model = dict(
    necks=dict(_delete_=True, v_bn=dict(type='BNNeck', reads='v')),
    i2i_feature='v',
    inference='constant',
    heads=dict(
        align=[
            *_base_.losses_triplet[:3],
            dict(_base_.loss_id, feature='v_bn'),
            _base_.loss_supcon,
        ]
    ),
)
