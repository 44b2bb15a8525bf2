"""Every registered part of a model at a tiny size, and towers of other code bases."""

from tests.test_models.test_reid.tiny import ARCH, RESNET_ARCH

from . import own_towers  # noqa: F401

SIZE = (32, 16)
LARGER = (64, 32)  # for towers of other code bases, which halve maps five times
JOINT = 16  # width of the tiny CLIPs' joint space

_CLIP = dict(arch=ARCH, img_size=SIZE)
_VIT = dict(embed_dim=24, depth=2, num_heads=2, img_size=LARGER, patch_size=16)


def _timm(name, **options):
    return dict(type='mmpretrain.TIMMBackbone', model_name=name, **options)


def _swin(**options):
    return dict(
        type='mmpretrain.SwinTransformer',
        arch=dict(embed_dims=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4]),
        img_size=LARGER,
        **options,
    )


def _vit(out_type):
    arch = dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48)
    return dict(
        type='mmpretrain.VisionTransformer',
        arch=arch,
        img_size=LARGER,
        patch_size=16,
        out_type=out_type,
    )


# By the name of the registered type
TOWERS = {
    'CLIPImageEncoder': _CLIP,
    'CLIPResNetEncoder': dict(_CLIP, arch=RESNET_ARCH),
    'TaskRoutedTransformer': _CLIP,
    'TransReIDEncoder': dict(
        img_size=SIZE,
        arch_options=dict(patch_size=4, embed_dim=24, depth=2, num_heads=2),
    ),
    'ResNetEncoder': dict(arch='resnet18'),
    'CLIPTextEncoder': dict(arch=ARCH),
    'CLIPPromptEncoder': dict(arch=ARCH),
    'OwnResNetIBN': {},
    'OwnOSNet': {},
}
# Of other code bases, by what they are
FOREIGN_TOWERS = {
    'mmpretrain ResNet-18': dict(type='mmpretrain.ResNet', depth=18, base_channels=16),
    'mmpretrain ResNet-18, all stages': dict(
        type='mmpretrain.ResNet', depth=18, base_channels=16, out_indices=(0, 1, 2, 3)
    ),
    'mmpretrain Res2Net-50': dict(
        type='mmpretrain.Res2Net', depth=50, base_channels=16, scales=4, base_width=26
    ),
    'mmpretrain Swin': _swin(pad_small_map=True),
    'mmpretrain Swin, windows too large': _swin(),
    'mmpretrain Swin v2': dict(
        type='mmpretrain.SwinTransformerV2',
        arch=dict(
            embed_dims=16,
            depths=[1, 1, 1, 1],
            num_heads=[1, 2, 2, 4],
            extra_norm_every_n_blocks=0,
        ),
        img_size=LARGER,
        window_size=2,
        pad_small_map=True,
    ),
    'mmpretrain ConvNeXt': dict(
        type='mmpretrain.ConvNeXt',
        arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 40]),
    ),
    'mmpretrain MobileNetV2': dict(type='mmpretrain.MobileNetV2', widen_factor=0.25),
    'mmpretrain MobileNetV3': dict(type='mmpretrain.MobileNetV3', arch='small_050'),
    'mmpretrain EfficientNet-B0': dict(type='mmpretrain.EfficientNet', arch='b0'),
    'mmpretrain RegNet': dict(type='mmpretrain.RegNet', arch='regnetx_400mf'),
    'mmpretrain RepVGG': dict(type='mmpretrain.RepVGG', arch='A0'),
    'mmpretrain ViT, class token': _vit('cls_token'),
    'mmpretrain ViT, all tokens': _vit('raw'),
    'mmpretrain ViT, map': _vit('featmap'),
    'timm ViT': _timm('vit_tiny_patch16_224', **_VIT),
    'timm DINOv2': _timm('vit_small_patch14_dinov2', **_VIT),
    'timm DINOv2 with registers': _timm('vit_small_patch14_reg4_dinov2', **_VIT),
    'timm DeiT': _timm('deit_tiny_patch16_224', **_VIT),
    'timm Swin': _timm(
        'swin_tiny_patch4_window7_224',
        img_size=LARGER,
        window_size=2,
        embed_dim=16,
        depths=(1, 1, 1, 1),
        num_heads=(1, 2, 2, 4),
    ),
    'timm ConvNeXt': _timm('convnext_atto', depths=(1, 1, 1, 1), dims=(8, 16, 24, 40)),
    'timm MobileNetV3': _timm('mobilenetv3_small_050'),
    'timm EfficientNet': _timm('efficientnet_lite0'),
    'timm ResNet-18, features only': _timm('resnet18', features_only=True),
    'timm RepVGG': _timm('repvgg_a0'),
    'timm Swin for 224 x 224': _timm('swin_tiny_patch4_window7_224', depths=(1,) * 4),
    'timm ViT for 64 x 64': _timm('vit_tiny_patch16_224', **dict(_VIT, img_size=64)),
}
PROMPT_LEARNERS = {
    'IdentityPromptLearner': dict(num_id_tokens=2),
    'HierarchicalPromptLearner': dict(num_id_tokens=2),
    'InstancePromptLearner': {},
    'PrototypeLearner': dict(num_vectors=2, num_heads=2),
}
_BLOCKS = dict(depth=1, num_heads=2)
INVERSIONS = {
    'MLPInversion': dict(num_tokens=2, hidden_channels=16),
    'LinearInversion': dict(num_tokens=2),
    'QueryInversion': dict(num_tokens=2, **_BLOCKS),
    'FirstTokensInversion': dict(num_tokens=2, **_BLOCKS),
    'ClassTokenInversion': _BLOCKS,
    'CrossAttentionInversion': dict(num_tokens=2, **_BLOCKS),
}
NECKS = {
    'BNNeck': {},
    'GeM': {},
    'GlobalAveragePool': {},
    'LinearNeck': dict(out_channels=JOINT),
    'InteractionNeck': dict(width=16, num_heads=2),
    'ImplicitRelation': dict(depth=1, num_heads=2, vocab_size=49408),
    'mmpretrain.GlobalAveragePooling': {},
    'mmpretrain.GeneralizedMeanPooling': {},
}
HEADS = {
    'CMPCHead': {},
    'CMPMHead': {},
    'CenterHead': {},
    'CrossModalIDHead': {},
    'IDHead': {},
    'InfoNCEHead': {},
    'InversionConsistencyHead': {},
    'MaskedLanguageHead': {},
    'PromptAlignHead': {},
    'PromptContrastHead': {},
    'PromptIDHead': {},
    'PromptRegularizationHead': {},
    'PrototypeContrastHead': dict(
        learner=dict(type='PrototypeLearner', **PROMPT_LEARNERS['PrototypeLearner'])
    ),
    'SDMHead': {},
    'TALHead': {},
    'TripletHead': {},
    'mmpretrain.LinearClsHead': dict(num_classes=6),
}


def part(table, name):
    """Return the config of a part of one of the tables above."""
    if name in FOREIGN_TOWERS:
        return dict(FOREIGN_TOWERS[name])
    return dict(type=name, **table[name])
