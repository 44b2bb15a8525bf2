"""Every option of the command line changes what is run, or is refused with its key."""

import pytest
from mmengine.config import DictAction

from hplreid.engine.config import read_config
from hplreid.engine.config.errors import ConfigError
from hplreid.engine.config.options import parse_options

BOT = 'configs/bot/bot_tiny_synthpeds.py'
HPL = 'configs/hpl/hpl_tiny_synthpeds.py'


@pytest.mark.parametrize(
    'value',
    ['1', '-1.5', '1e-4', 'true', 'None', 'text', '1,2', '[a]', '(1,2)', "'x'"],
)
def test_values_are_read_as_mmengine_does(value):
    expected = DictAction._parse_iterable(value)
    assert parse_options([f'a.b={value}']) == {'a.b': expected}


def test_a_dict_may_be_a_value():
    word = "hook=dict(type='EMAHook', begin=[1, dict(a=(2, None))])"
    assert parse_options([word, "x={'y': -1}"]) == {
        'hook': dict(type='EMAHook', begin=[1, dict(a=(2, None))]),
        'x': {'y': -1},
    }


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        ('foo', "--cfg-options 'foo': expected KEY=VALUE"),
        ('=3', "'=3': expected KEY=VALUE"),
        ('a..b=3', 'expected KEY=VALUE'),
        ('a=dict(', 'the value is not a dict of plain values'),
        ('a=dict(b=open(1))', 'the value is not a dict of plain values'),
        ('a=f(1,2)', 'the value cannot be read'),
        ('a=(1,', 'the value cannot be read'),
    ],
)
def test_words_that_can_not_be_read(word, message):
    with pytest.raises(ConfigError) as caught:
        parse_options([word])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ('path', 'word', 'message'),
    [
        (
            HPL,
            'optim_wrapper.optimizer.lr=1',
            'The stages have their own: set '
            'train_cfg.stages.construct.optim_wrapper.optimizer.lr, '
            'train_cfg.stages.align.optim_wrapper.optimizer.lr.',
        ),
        (
            BOT,
            'img_size=(256,128)',
            "'img_size' is a name that the files have used by now. Set "
            'train_dataloader.dataset.pipeline.1.size, '
            'test_dataloader.synthpeds_i2i.dataset.pipeline.1.size.',
        ),
        (
            BOT,
            'data_root=elsewhere',
            'Set data_preparers.0.out, train_dataloader.dataset.data_root, '
            'test_dataloader.synthpeds_i2i.dataset.data_root.',
        ),
        (
            BOT,
            'train_pipeline.1.size=(8,8)',
            'Set train_dataloader.dataset.pipeline.1.size.',
        ),
        (BOT, 'train_datloader.batch_size=3', "Did you mean 'train_dataloader'?"),
        (BOT, 'num_wokers=3', "Did you mean 'num_workers'?"),
        (
            BOT,
            'num_workers=3',
            'Set train_cfg.stages.identify.train_dataloader.num_workers, '
            'test_dataloader.synthpeds_i2i.num_workers.',
        ),
        (HPL, 'model.text_encoder={}', 'An empty dict is merged into what is there'),
        (HPL, 'model.heads.align.9.tau=1', 'model.heads.align is a list of 7'),
        (
            HPL,
            'train_dataloader.batch_size=dict(a=1)',
            'train_dataloader.batch_size=128 is not a dict',
        ),
        (
            HPL,
            'train_dataloader.dataset.pipeline=plan_pipeline',
            "no pipeline is called 'plan_pipeline'",
        ),
    ],
)
def test_options_that_would_change_nothing(path, word, message):
    with pytest.raises(ConfigError) as caught:
        read_config(path, [word])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ('word', 'place'),
    [
        ('optim_wrapper.precision=fp32', ['optim_wrapper', 'precision']),
        (
            'train_cfg.stages.align.optim_wrapper.optimizer.lr=1',
            ['train_cfg', 'stages', 'align', 'optim_wrapper', 'optimizer', 'lr'],
        ),
        # The value that is there
        ('train_dataloader.batch_size=128', ['train_dataloader', 'batch_size']),
    ],
)
def test_options_that_are_obeyed(word, place):
    value = read_config(HPL, [word])
    for part in place:
        value = value[part]
    assert str(value) == word.rpartition('=')[2]


def test_two_options_may_need_each_other():
    words = [
        'train_cfg.stages.align.optim_wrapper._delete_=True',
        'optim_wrapper.optimizer=dict(type=SGD,lr=1)'.replace('SGD', "'SGD'"),
    ]
    with pytest.raises(ConfigError, match='The stages have their own'):
        read_config(HPL, words[1:])
