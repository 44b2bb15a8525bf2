_base_ = ['./bot_resnet50_market1501.py']

# Any backbone of mmpretrain can stand in for ours: its last output is offered as `map`,
# whose width has to be said
model = dict(
    image_encoder=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        # A file in torchvision's layout; an address here would be downloaded
        init_cfg=dict(type='Pretrained', checkpoint='data/resnet50-0676ba61.pth'),
    ),
    feature_dims=dict(map=2048),
)
