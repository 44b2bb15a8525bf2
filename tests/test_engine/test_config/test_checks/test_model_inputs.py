"""Pipelines and samplers are checked against what a model is made for."""

import re

import pytest
from mmengine.config import Config

from hplreid.engine.config.check import ConfigError, check_config
from hplreid.engine.config.checks.model_inputs import find_input_problems
from hplreid.engine.config.read import read_config


def config_of(size, tower, stages=None, **changes):
    def loader(size):
        return dict(dataset=dict(pipeline=[dict(type='ResizeImage', size=size)]))

    return Config(
        dict(
            model=dict(type='ImageReID', image_encoder=tower),
            train_dataloader=loader(size),
            train_cfg=dict(stages=stages or {}),
            test_dataloader=dict(bench=loader((128, 64))),
            **changes,
        )
    )


VIT = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
SWIN = dict(
    type='mmpretrain.SwinTransformer',
    arch=dict(embed_dims=8, depths=[1, 1], num_heads=[1, 2]),
    out_indices=(1,),
)


@pytest.mark.parametrize(
    ('size', 'tower', 'found'),
    [
        ((128, 64), dict(VIT, img_size=(128, 64)), []),
        ((128, 64), dict(VIT, img_size=[128, 64]), []),
        ((128, 64), dict(type='ResNetEncoder'), []),
        (
            (256, 64),
            dict(VIT, img_size=(128, 64)),
            ['128x64, but train_dataloader .*256x64'],
        ),
        ((128, 64), VIT, ['384x128, but train_dataloader']),
        ((256, 64), VIT, ['train_dataloader', r'test_dataloader\.bench']),
        ((128, 64), SWIN, []),
        ((24, 24), SWIN, ['fails on images of 24x24.*smaller than the window size']),
        ((128, 64), dict(SWIN, patch_size=(9, 'x')), ['can not be built']),
    ],
)
def test_sizes(size, tower, found):
    problems = find_input_problems(config_of(size, tower))
    assert len(problems) == len(found), problems
    for problem, pattern in zip(problems, found, strict=True):
        assert re.search(pattern, problem), problem


def test_a_stage_may_have_a_size_of_its_own():
    own = dict(dataset=dict(pipeline=[dict(type='ResizeImage', size=(64, 32))]))
    stages = dict(one={}, two=dict(train_dataloader=own))
    (problem,) = find_input_problems(
        config_of((128, 64), dict(VIT, img_size=(128, 64)), stages)
    )
    assert "of stage 'two' makes images of 64x32" in problem


@pytest.mark.parametrize(
    ('path', 'options', 'message'),
    [
        ('bot/bot_tiny_synthpeds', {}, None),
        (
            'clip_reid/clip-reid_tiny_synthpeds',
            {'model.image_encoder.img_size': (256, 128)},
            'img_size is 256x128',
        ),
        (
            'irra/irra_tiny_synthpeds',
            {'train_dataloader.dataset.pipeline': [dict(type='TokenizeCaption')]},
            "a neck reads 'masked_tokens'.*MaskCaption",
        ),
        (
            'irra/irra_tiny_synthpeds',
            {'model.heads.align': [dict(type='IDHead', feature='v')]},
            "IDHead reads the rows 'image_only': CaptionSampler",
        ),
        (
            'bot/bot_tiny_synthpeds',
            {'model.heads.identify.0.group': 'captioned'},
            "IDHead reads the rows 'captioned': images of Market1501 have no captions",
        ),
    ],
)
def test_a_config_is_refused(path, options, message):
    config = read_config(f'configs/{path}.py', options)
    if message is None:
        assert find_input_problems(config) == []
        return
    with pytest.raises(ConfigError, match=message):
        check_config(config)
