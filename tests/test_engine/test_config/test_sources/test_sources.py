"""Where a value is set; names that nothing reads; files that aren't configs."""

import shutil

import pytest

from hplreid.engine.config import read_config
from hplreid.engine.config.errors import ConfigError
from hplreid.engine.config.sources import list_settings, locate, read_family

METHOD = """\
size = (8, 4)
head = dict(type='IDHead', scale=3)
model = dict(
    type='HPL',
    heads=dict(align=[head, dict(type='SDMHead')]),
    encoder=dict(
        img_size=size),
)
train_pipeline = [
    dict(type='Load'),
    dict(type='Resize', size=size),
]
loader = dict(pipeline='train_pipeline')
"""
TOP = """\
_base_ = ['./method.py']

model = dict(
    encoder=dict(width=2),
    heads=dict(align=[*_base_.model.heads.align, _base_.head]),
    extra=dict(_base_.head, scale=4),
)
loader = dict(dataset=dict(**_base_.loader))
"""


@pytest.fixture
def family(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'method.py').write_text(METHOD)
    (tmp_path / 'top.py').write_text(TOP)
    return read_family('top.py')


@pytest.mark.parametrize(
    ('key', 'source', 'variables'),
    [
        ('model.type', 'method.py:4', set()),
        ('model.encoder.width', 'top.py:4', set()),
        ('model.encoder.img_size', 'method.py:1', {'size'}),
        ('model.extra.type', 'method.py:2', {'head'}),
        ('model.extra.scale', 'top.py:6', set()),
        ('model.heads.align.0.scale', 'top.py:5', {'model', 'head'}),
        ('loader.dataset.pipeline.1.size', 'method.py:1', {'size', 'train_pipeline'}),
    ],
)
def test_the_line_that_sets_a_value(family, key, source, variables):
    found = locate(family, key.split('.'))
    assert str(found) == source
    assert variables <= found.variables


def test_what_no_file_sets_has_no_place(family):
    assert locate(family, ['model', 'depth']) is None
    assert locate(family, ['other']) is None


@pytest.mark.parametrize(
    'name', ['hpl/hpl_tiny_synthpeds_irr', 'bot/bot_resnet50_msmt17']
)
def test_the_line_of_every_setting_has_its_key_or_a_list(name):
    file = f'configs/{name}.py'
    settings = list(list_settings(read_config(file).to_dict(), read_family(file), {}))
    assert len(settings) > 100
    for setting in settings:
        path, _, line = setting.origin.rpartition(':')
        with open(path) as source:
            text = source.read().splitlines()[int(line) - 1]
        known = setting.key.split('.')[-1], repr(setting.value), '_base_', 'pipeline ='
        assert any(word in text for word in known), setting


def test_a_stage_says_what_it_shares_and_what_it_sets():
    file = 'configs/hpl/hpl_tiny_synthpeds.py'
    options = {'train_dataloader.num_workers': 4}
    config = read_config(file, options).to_dict()
    found = {s.key: s for s in list_settings(config, read_family(file), options)}
    stage = 'train_cfg.stages.align'
    rate = found[f'{stage}.optim_wrapper.optimizer.lr']
    assert rate.set_as == rate.key
    assert 'schedules/hpl_tiny.py' in rate.origin
    assert found[f'{stage}.optim_wrapper.precision'].set_as == 'optim_wrapper.precision'
    assert found[f'{stage}.train_dataloader.num_workers'].origin == '--cfg-options'


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        ({}, "Config file 'top.py' does not exist."),
        ({'tap.py': ''}, "'top.py' does not exist. Did you mean 'tap.py'?"),
        ({'top.py': 'x = ('}, "top.py, line 1: not Python: '(' was never closed"),
        ({'top.py': "_base_ = './b.py'"}, 'It is a _base_ of top.py.'),
        (
            {'top.py': "_base_ = './b.py'", 'b.py': "_base_ = ['top.py']"},
            '_base_: the files are based on each other in a circle: top.py -> b.py -> '
            'top.py.',
        ),
        ({'top.py': '_base_ = 3'}, 'top.py: _base_ cannot be read'),
        ({'top.py': 'x = y'}, "top.py, line 1: NameError: name 'y' is not defined"),
        (
            {'top.py': "_base_ = ['a.py', 'b.py']", 'a.py': 'x=1', 'b.py': 'x=1'},
            'Duplicate key is not allowed among bases',
        ),
        (
            {'top.py': "_base_ = 'a.py'\nx = dict(b=1)", 'a.py': 'x=1'},
            'x is a dict in the child config but is of type',
        ),
        (
            {'top.py': 'train_datloader = {}'},
            'train_datloader (top.py:1): not a',
        ),
        ({'top.py': 'mdoel = {}'}, "Did you mean 'model'?"),
        ({'top.py': 'num_wokers = 2'}, "Did you mean 'num_workers'?"),
        (
            {
                'top.py': "_base_ = 'a.py'\nbatch_size = 2",
                'a.py': 'train_dataloader = dict(batch_size=1)',
            },
            'It is a setting of other places: train_dataloader.batch_size.',
        ),
    ],
)
def test_files_that_can_not_be_read(tmp_path, monkeypatch, files, message):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config('top.py')
    assert message in str(caught.value)


def test_folders_and_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs' / 'a.py').touch()
    (tmp_path / 'a.txt').touch()
    for path, message in {
        'configs': 'is a folder, not a config file. Configs in it: a.py.',
        'a.txt': "'a.txt' is not a config file",
        'nowhere/a.py': "there is no folder 'nowhere'",
    }.items():
        with pytest.raises(ConfigError, match=message):
            read_config(path)


def test_names_that_help_to_build_others_are_not_in_what_is_run(tmp_path, capsys):
    config = read_config('configs/hpl/hpl_tiny_synthpeds.py')
    assert not {'img_size', 't2i', 'train_pipeline'} & set(config)
    assert capsys.readouterr().err == ''
    path = tmp_path / 'own.py'
    path.write_text('my_thing = 3\nrandomness = dict(seed=1)\n')
    assert list(read_config(str(path))) == ['randomness']
    assert capsys.readouterr().err == f'{path}: nothing reads my_thing\n'


def test_a_dump_of_an_earlier_version_is_read(tmp_path):
    """It has the names that were used to build others."""
    shutil.copy('configs/_base_/datasets/synthpeds.py', tmp_path / 'dump.py')
    text = (tmp_path / 'dump.py').read_text() + '\nbias = 3\ntest_loader = {}\n'
    (tmp_path / 'dump.py').write_text(text)
    assert 'bias' not in read_config(str(tmp_path / 'dump.py'))
