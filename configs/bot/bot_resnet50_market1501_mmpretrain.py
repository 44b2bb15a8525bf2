_base_ = ['./bot_resnet50_market1501.py']

# Any backbone of mmpretrain can replace ours: what its last output is, and how wide, is
# found out when the model is built
model = dict(
    image_encoder=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        # A file in torchvision's layout; an address here would be downloaded
        init_cfg=dict(type='Pretrained', checkpoint='data/resnet50-0676ba61.pth'),
    ),
)
