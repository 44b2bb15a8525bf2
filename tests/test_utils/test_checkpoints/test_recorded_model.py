"""What a checkpoint is of is read from its config, which isn't executed."""

import pytest
from mmengine.config import Config

import hplreid.models  # noqa: F401  (fills the registries)
from hplreid.utils.checkpoints.recorded_model import (
    describe_model,
    is_same_model,
    recorded_model,
    setting_differences,
)

TOWER = dict(type='CLIPImageEncoder', arch='ViT-B-16', img_size=(256, 128), stride=12)
MODEL = dict(
    type='DualEncoder',
    image_encoder=TOWER,
    text_encoder=dict(type='CLIPTextEncoder'),
    heads=dict(
        construct=[dict(type='SDMHead')],
        align=[dict(type='IDHead', feature='u'), dict(type='SDMHead')],
    ),
    necks={'a.b': dict(type='BNNeck', reads=['v', 'u'], eps=-1e-5, affine=None)},
    num_ids=4,
)


def test_the_model_of_a_config_is_read():
    config = Config(dict(work_dir="it's", model=MODEL, load_from=None))
    expected = {**MODEL, 'image_encoder': {**TOWER, 'img_size': [256, 128]}}
    assert recorded_model(dict(cfg=config.pretty_text)) == expected


@pytest.mark.parametrize(
    'source',
    [
        None,
        3,
        '',
        'model =',
        'other = dict(a=1)',
        'model = 3',
        'model = dict(a=open("executed", "w"))',
        'model = dict(a=[c for c in ()])',
        'model = dict(a=' + '(' * 500 + ')' * 500 + ')',
    ],
)
def test_anything_else_says_nothing(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recorded_model(dict(cfg=source)) is None
    assert recorded_model({}) is None
    assert not list(tmp_path.iterdir())


def test_method_towers_and_heads_are_described():
    assert describe_model(MODEL) == (
        "DualEncoder (image_encoder: CLIPImageEncoder 'ViT-B-16'; text_encoder: "
        'CLIPTextEncoder; heads: SDMHead, IDHead)'
    )
    assert describe_model(dict(type='hplreid.ImageReID')) == 'ImageReID'


@pytest.mark.parametrize(
    ('change', 'same'),
    [
        (dict(type='hplreid.DualEncoder'), True),
        (dict(heads={}), True),
        (dict(image_encoder={**TOWER, 'stride': 16, 'pretrained': 'openai'}), True),
        (dict(text_encoder=None), True),  # names of weights tell
        (dict(type='HPL'), False),
        # The same shapes, another function
        (dict(image_encoder={**TOWER, 'arch': 'ViT-B-16-quickgelu'}), False),
        (dict(image_encoder={**TOWER, 'type': 'TaskRoutedTransformer'}), False),
    ],
)
def test_methods_and_architectures_are_compared(change, same):
    assert is_same_model(MODEL, {**MODEL, **change}) is same


@pytest.mark.parametrize(
    ('change', 'differences'),
    [
        ({}, []),
        (dict(heads={}, num_ids=None), []),  # nothing that a feature depends on
        (dict(image_encoder={**TOWER, 'pretrained': 'a', 'compiled': True}), []),
        (dict(image_encoder={**TOWER, 'img_size': (384, 128)}), []),  # is resized
        (dict(image_encoder={**TOWER, 'camera_scale': 1.0}), []),  # the default
        (dict(t2i_feature='v'), []),
        (
            dict(image_encoder={**TOWER, 'stride': 16}),
            ['image_encoder.stride: 12 in the file, 16 in the config'],
        ),
        (
            dict(t2i_feature='u', data_preprocessor=dict(mean=[0, 0, 0])),
            [
                "t2i_feature: 'v' in the file, 'u' in the config",
                'data_preprocessor.mean: None in the file, [0, 0, 0] in the config',
            ],
        ),
    ],
)
def test_settings_of_features_are_compared(change, differences):
    assert setting_differences(MODEL, {**MODEL, **change}) == differences
