"""All that is wrong with a config, in one message, and nothing that is right."""

import pytest
from mmengine.config import Config

from hplreid.engine.config.check import (
    ConfigError,
    check_config,
    check_types,
    find_problems,
    find_type_problems,
)
from hplreid.engine.config.resolve import inference_config
from hplreid.registry import BACKBONES
from tests.test_engine.engine_toy import toy_config


@BACKBONES.register_module()
class ToyTower:
    """Its weights are never there."""

    @classmethod
    def find_problems(cls, arch, pretrained=None):
        if arch == 'odd':
            raise ValueError("arch='odd' is not known")
        return [f"weights '{pretrained}' are missing"] if pretrained else []


def test_a_good_config_has_no_problem(tmp_path):
    config = toy_config(tmp_path)
    config.merge_from_dict(
        dict(
            visualizer=dict(
                type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]
            ),
            custom_hooks=[dict(type='EMAHook', priority='LOW')],
            test_cfg=dict(type='BenchmarkLoop'),
            optim_wrapper=dict(clip_grad=dict(type='norm', max_norm=1)),
        )
    )
    config.train_dataloader.collate_fn = dict(type='pseudo_collate')
    assert find_problems(config) == []
    check_types(config)
    check_config(config)


def test_everything_is_listed_at_once(tmp_path):
    config = toy_config(tmp_path, load_from='nowhere.pth')
    config.model.image_encoder = dict(type='ToyTower', arch='a', pretrained='x.pt')
    config.model.heads = dict(align=[dict(type='ToyNumber')])
    config.train_dataloader.dataset.shift = -1
    config.test_dataloader = dict(toy=dict(dataset=dict(type='ToyNumbers', shift=-1)))
    config.train_cfg.stages.align.pop('trainable')
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    lines = str(caught.value).splitlines()
    assert lines[0] == 'The config cannot run, 5 problems:'
    assert lines[1].startswith(
        "  1. model.heads.align.0: 'ToyNumber' is not a registered "
    )
    assert "Did you mean 'ToyNumbers'?" in lines[1]
    assert lines[2:] == [
        "  2. weights 'x.pt' are missing",
        '  3. shift=-1 is negative',  # once, though two datasets say it
        "  4. stage 'align' has no 'trainable'",
        "  5. load_from: checkpoint 'nowhere.pth' does not exist.",
    ]


def test_weights_of_other_code_bases_are_looked_for(tmp_path):
    config = toy_config(tmp_path)
    there, gone = tmp_path / 'there.pth', tmp_path / 'gone.pth'
    there.touch()
    tower = dict(type='mmpretrain.ResNet', depth=50)
    config.model.image_encoder = dict(
        tower,
        init_cfg=[
            'no dict',  # not for this check to explain
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Pretrained', checkpoint='torchvision://resnet50'),
            dict(type='Pretrained', checkpoint=str(there)),
            dict(type='Pretrained', checkpoint=str(gone)),
        ],
    )
    assert find_problems(config) == [
        f"model.image_encoder.init_cfg: checkpoint '{gone}' does not exist."
    ]
    assert find_problems(inference_config(config)) == []  # a checkpoint has all


def test_names_for_parts_of_a_config_are_not_built(tmp_path):
    config = toy_config(tmp_path)
    config.toy_train = dict(type='ToyNumbers', shift=-1)
    config.pipeline = [dict(type='NoSuchTransform')]
    assert find_problems(config) == []


@pytest.mark.parametrize(
    ('component', 'expected'),
    [
        (dict(type='BNNek'), "'BNNek' is not a registered neck. Did you mean 'BNNeck'"),
        (dict(type='AdamV'), "'AdamV' is not registered. Did you mean 'Adam"),
        (dict(type='qqqqq'), "'qqqqq' is not registered, here or in MMEngine"),
        (dict(type='mmpretrain.NoSuchNet'), "'mmpretrain.NoSuchNet' is not registered"),
        (dict(type='hplreid.NoSuchNet'), "'hplreid.NoSuchNet' is not registered"),
    ],
)
def test_unknown_names_get_the_closest_known_one(component, expected):
    (problem,) = find_type_problems(Config(dict(model=component)))
    assert problem.startswith(f'model: {expected}')


@pytest.mark.parametrize(
    'component',
    [
        dict(type='AdamW'),
        dict(type='CosineAnnealingLR'),
        dict(type='mmengine.DefaultSampler'),
        dict(type='hplreid.BNNeck'),
        dict(type='torch.nn.Linear'),
        dict(type=dict),
        # What is below a part of another code base is that code base's
        dict(type='mmpretrain.ResNet', norm_cfg=dict(type='NoNormOfOurs')),
    ],
)
def test_known_names_are_known(component):
    assert find_type_problems(Config(dict(model=component))) == []


@pytest.mark.parametrize(
    ('tower', 'expected'),
    [
        (dict(arch='odd'), ["model: arch='odd' is not known"]),
        (dict(arch='a', pretraned='x'), ['model: ToyTower got an unexpected keyword']),
        ({}, []),  # the model may hand its other tower's on
    ],
)
def test_a_class_that_can_not_answer(tower, expected):
    problems = find_problems(Config(dict(model=dict(type='ToyTower', **tower))))
    assert len(problems) == len(expected)
    assert all(p.startswith(e) for p, e in zip(problems, expected, strict=True))


def test_data_preparers_are_known_by_name():
    config = Config(dict(data_preparers=[dict(type='SynthPeds'), dict(type='Synth')]))
    assert find_type_problems(config) == [
        "data_preparers.1: 'Synth' is not a data preparer: expected one of "
        "['ImageCache', 'SynthPeds']."
    ]


def test_stages_that_are_no_dict(tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages = [dict(epochs=1)]
    (problem,) = find_problems(config)
    assert problem.endswith('expected a dict of stages by name')
