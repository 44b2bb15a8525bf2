"""Named pipelines are resolved once, when a config is read."""

import pytest
from mmengine.config import Config

from hplreid.engine.config.named_pipelines import resolve_pipelines
from hplreid.engine.config.read import read_config

BENCHMARK = """
train_pipeline = [dict(type='Load'), dict(type='hplreid.Flip'), dict(type='Pack')]
plain_pipeline = [dict(type='Load'), dict(type='Pack')]
train_dataloader = dict(
    dataset=dict(
        type='Joint', pipeline='train_pipeline', t2i=dict(pipeline='train_pipeline')
    )
)
test_dataloader = dict(one=dict(dataset=dict(pipeline='plain_pipeline')))
"""
METHOD = """
insert_transforms = [
    dict(pipeline='train_pipeline', before='Pack', transform=dict(type='Mask', p=1))
]
train_cfg = dict(
    stages=dict(
        first=dict(train_dataloader=dict(dataset=dict(pipeline='plain_pipeline'))),
        second=dict(train_dataloader=dict(dataset=dict(pipeline='train_pipeline'))),
    )
)
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'benchmark.py').write_text(BENCHMARK)
    (tmp_path / 'method.py').write_text(METHOD)
    joined = tmp_path / 'joined.py'
    joined.write_text("_base_ = ['./method.py', './benchmark.py']\n")
    return joined


def _names(pipeline):
    return [step.type for step in pipeline]


def _config(insertion=None, **keys):
    """Config with a named pipeline of three steps, and perhaps an insertion."""
    config = Config.fromstring(BENCHMARK, '.py')
    config.merge_from_dict(keys)
    if insertion is not None:
        given = dict(pipeline='train_pipeline', transform=dict(type='Mask'))
        config.insert_transforms = [{**given, **insertion}]
    return config


def test_every_reference_gets_the_pipeline_with_its_insertion(path):
    config = read_config(str(path))
    masked = ['Load', 'hplreid.Flip', 'Mask', 'Pack']
    stages = config.train_cfg.stages
    assert _names(config.train_dataloader.dataset.pipeline) == masked
    assert _names(config.train_dataloader.dataset.t2i.pipeline) == masked
    assert _names(stages.second.train_dataloader.dataset.pipeline) == masked
    assert _names(stages.first.train_dataloader.dataset.pipeline) == ['Load', 'Pack']
    assert _names(config.test_dataloader.one.dataset.pipeline) == ['Load', 'Pack']


def test_a_dumped_config_is_read_as_it_is(path, tmp_path):
    config = read_config(str(path))
    config.dump(tmp_path / 'dumped.py')
    assert 'insert_transforms' not in (tmp_path / 'dumped.py').read_text()
    assert read_config(str(tmp_path / 'dumped.py')).to_dict() == config.to_dict()


def test_places_do_not_share_their_steps(path):
    config = read_config(str(path))
    config.train_dataloader.dataset.pipeline[2].p = 0
    assert config.train_dataloader.dataset.t2i.pipeline[2].p == 1


def test_options_change_resolved_pipelines(path):
    place = 'train_cfg.stages.first.train_dataloader.dataset.pipeline'
    stage = 'train_cfg.stages.second.train_dataloader.dataset.pipeline'
    config = read_config(str(path), {f'{place}.1.p': 5, stage: 'plain_pipeline'})
    first = config.train_cfg.stages.first.train_dataloader.dataset
    assert first.pipeline[1].p == 5
    second = config.train_cfg.stages.second.train_dataloader.dataset
    assert _names(second.pipeline) == ['Load', 'Pack']


def test_a_derived_config_changes_a_pipeline_everywhere(path):
    derived = path.parent / 'derived.py'
    derived.write_text(
        "_base_ = './joined.py'\n"
        "train_pipeline = [dict(type='Resize'), *_base_.train_pipeline]\n"
    )
    config = read_config(str(derived))
    changed = ['Resize', 'Load', 'hplreid.Flip', 'Mask', 'Pack']
    assert _names(config.train_dataloader.dataset.pipeline) == changed
    assert _names(config.train_dataloader.dataset.t2i.pipeline) == changed


@pytest.mark.parametrize(
    ('side', 'neighbor', 'expected'),
    [
        ('before', 'Load', ['Mask', 'Load', 'hplreid.Flip', 'Pack']),
        ('after', 'Flip', ['Load', 'hplreid.Flip', 'Mask', 'Pack']),
        ('after', 'Pack', ['Load', 'hplreid.Flip', 'Pack', 'Mask']),
    ],
)
def test_place_of_an_insertion(side, neighbor, expected):
    config = _config({side: neighbor})
    resolve_pipelines(config)
    assert _names(config.train_dataloader.dataset.pipeline) == expected


@pytest.mark.parametrize(
    ('insertion', 'message'),
    [
        (
            dict(before='Pck'),
            "insert_transforms.0: 'Pck' stands 0 times in train_pipeline, expected "
            'once. It has Load, Flip, Pack.',
        ),
        (
            dict(before='Load', pipeline='other_pipeline'),
            "insert_transforms.0: no pipeline is called 'other_pipeline'. .*: "
            'plain_pipeline, train_pipeline, unused_pipeline.',
        ),
        (
            dict(before='Load', pipeline='unused_pipeline'),
            "nothing refers to 'unused_pipeline' by name. Write pipeline=",
        ),
        ({}, "one of 'before' and 'after', got .'pipeline', 'transform'."),
        (dict(before='Load', after='Load'), "one of 'before' and 'after'"),
        (dict(before='Load', index=1), "got .'before', 'index'"),
    ],
)
def test_insertions_without_a_place_are_refused(insertion, message):
    with pytest.raises(ValueError, match=message):
        resolve_pipelines(_config(insertion, unused_pipeline=[dict(type='Load')]))


def test_insertions_must_be_a_list():
    config = _config()
    config.insert_transforms = dict(before='Pack')
    with pytest.raises(ValueError, match='insert_transforms: expected a list of dicts'):
        resolve_pipelines(config)


def test_an_unknown_name_is_refused():
    config = _config()
    config.train_dataloader.dataset.t2i.pipeline = 'trian_pipeline'
    message = (
        "train_dataloader.dataset.t2i.pipeline: no pipeline is called 'trian_pipeline'"
    )
    with pytest.raises(ValueError, match=message):
        resolve_pipelines(config)
    with pytest.raises(ValueError, match="names end in 'pipeline': none"):
        resolve_pipelines(Config(dict(model=dict(pipeline='x'))))
