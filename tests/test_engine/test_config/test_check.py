"""All problems of a config are in one message, and a valid config has none."""

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
    """A tower whose weights are always missing."""

    @classmethod
    def find_problems(cls, arch, pretrained=None):
        if arch == 'odd':
            raise ValueError("arch='odd' is not known")
        return [f"weights '{pretrained}' are missing"] if pretrained else []


def test_a_valid_config_has_no_problem(tmp_path):
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


def test_all_problems_are_listed_at_once(tmp_path):
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
        '  3. shift=-1 is negative',  # once, although two datasets report it
        "  4. stage 'align' has no 'trainable'",
        "  5. load_from: checkpoint 'nowhere.pth' does not exist.",
    ]


def test_missing_weights_of_other_code_bases_are_found(tmp_path):
    config = toy_config(tmp_path)
    existing, missing = tmp_path / 'existing.pth', tmp_path / 'missing.pth'
    existing.touch()
    tower = dict(type='mmpretrain.ResNet', depth=50)
    config.model.image_encoder = dict(
        tower,
        init_cfg=[
            'no dict',  # building it fails, but this check ignores it
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Pretrained', checkpoint='torchvision://resnet50'),
            dict(type='Pretrained', checkpoint=str(existing)),
            dict(type='Pretrained', checkpoint=str(missing)),
        ],
    )
    assert find_problems(config) == [
        f"model.image_encoder.init_cfg: checkpoint '{missing}' does not exist."
    ]
    assert (
        find_problems(inference_config(config)) == []
    )  # weights come from the checkpoint


def test_keys_that_a_run_does_not_build_are_not_checked(tmp_path):
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
def test_unknown_names_are_listed_with_the_closest_known_one(component, expected):
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
        # Parts of a component of another code base are not checked
        dict(type='mmpretrain.ResNet', norm_cfg=dict(type='NoNormOfOurs')),
    ],
)
def test_registered_names_have_no_problem(component):
    assert find_type_problems(Config(dict(model=component))) == []


@pytest.mark.parametrize(
    ('tower', 'expected'),
    [
        (dict(arch='odd'), ["model: arch='odd' is not known"]),
        (dict(arch='a', pretraned='x'), ['model: ToyTower got an unexpected keyword']),
        ({}, []),  # the model may add a missing argument
    ],
)
def test_arguments_that_a_class_rejects(tower, expected):
    problems = find_problems(Config(dict(model=dict(type='ToyTower', **tower))))
    assert len(problems) == len(expected)
    assert all(p.startswith(e) for p, e in zip(problems, expected, strict=True))


def test_unknown_data_preparers_are_listed():
    config = Config(dict(data_preparers=[dict(type='SynthPeds'), dict(type='Synth')]))
    assert find_type_problems(config) == [
        "data_preparers.1: 'Synth' is not a data preparer: expected one of "
        "['ImageCache', 'SynthPeds']."
    ]


def test_stages_that_are_not_a_dict(tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages = [dict(epochs=1)]
    (problem,) = find_problems(config)
    assert problem.endswith('expected a dict of stages by name')
