"""tools/dataset_tools/build_cache.py as a program, and configs that use its cache."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hplreid.datasets import reid_collate
from hplreid.engine.config.check import ConfigError, check_config
from hplreid.engine.config.prepare import prepare_data
from hplreid.registry import DATASETS
from tests.helpers import make_cuhk_pedes, make_market

TOOL = str(Path(__file__).resolve().parents[2] / 'tools/dataset_tools/build_cache.py')


def pipeline(height, interpolation):
    return [
        {'type': 'LoadImage'},
        {'type': 'ResizeImage', 'size': (height, 16), 'interpolation': interpolation},
        {'type': 'RandomFlip'},
        {'type': 'TokenizeCaption'},
        {'type': 'PackReIDInputs'},
    ]


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Joint training whose second stage has another size, and two benchmarks."""
    monkeypatch.chdir(tmp_path)
    make_cuhk_pedes('data/cuhk', num_ids=4)
    make_market('data/market', num_ids=4)
    t2i = {'type': 'CUHKPEDES', 'data_root': 'data/cuhk', 'expected': None}
    i2i = {'type': 'Market1501', 'data_root': 'data/market', 'expected': None}
    train = {
        'type': 'JointDataset',
        't2i': t2i,
        'i2i': i2i,
        'leak': 'none',
        'pipeline': pipeline(32, 'bicubic'),
    }
    plain = pipeline(32, 'bilinear')
    content = {
        'train_dataloader': {'dataset': train},
        'train_cfg': {
            'stages': {
                'a': {},
                'b': {
                    'train_dataloader': {
                        'dataset': {'pipeline': pipeline(48, 'bicubic')}
                    }
                },
            }
        },
        'test_dataloader': {
            'market': {'dataset': {**i2i, 'split': 'test', 'pipeline': plain}},
            'cuhk': {'dataset': {**t2i, 'split': 'test', 'pipeline': plain}},
        },
    }
    Path('config.json').write_text(json.dumps(content))
    return Config(content)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', [TOOL, 'config.json', *arguments])
    try:
        runpy.run_path(TOOL, run_name='__main__')
    except SystemExit as ended:
        if ended.code:
            raise


def first_batches(config):
    loaders = [config.train_dataloader, *config.test_dataloader.values()]
    for loader in loaders:
        dataset = DATASETS.build(loader.dataset.to_dict())
        yield reid_collate([dataset[i, 10 + i] for i in range(len(dataset))])


def test_one_key_makes_a_config_use_the_cache(config, monkeypatch, capsys):
    run(monkeypatch, '--workers', '2')
    table = capsys.readouterr().out
    for name in ('CUHK-PEDES', 'Market-1501'):
        for size in ('32x16_bicubic', '48x16_bicubic', '32x16_bilinear'):
            assert Path(f'data/cache/{name}_{size}.json').is_file()
            assert f'{name}_{size}' in table
    expected = list(first_batches(config))
    used = Config.fromfile('config.json')
    used.merge_from_dict({'image_cache': 'data/cache'})
    prepare_data(used)
    check_config(used)
    text = str(used.to_dict())
    assert text.count('LoadCachedImage') == 4
    assert "'LoadImage'" not in text
    for a, b in zip(expected, first_batches(used), strict=True):
        assert torch.equal(a['inputs']['images'], b['inputs']['images'])
    run(monkeypatch)
    done = re.findall(r'\| +(\d+) +\| +(\d+) +\|', capsys.readouterr().out)
    assert [made for _, made in done] == ['0'] * 6  # nothing was left to make


def test_a_cache_that_is_missing_is_said_before_training(config):
    config.merge_from_dict({'image_cache': 'data/none'})
    prepare_data(config)
    with pytest.raises(ConfigError, match="'data/none' has no cache of.*48 x 16"):
        check_config(config)


def test_other_size_and_folder(config, monkeypatch):
    run(monkeypatch, '--size', '24', '12', '--out', 'other')
    names = sorted(path.stem for path in Path('other').glob('*.json'))
    assert names == [
        'CUHK-PEDES_24x12_bicubic',
        'CUHK-PEDES_24x12_bilinear',
        'Market-1501_24x12_bicubic',
        'Market-1501_24x12_bilinear',
    ]


def test_verification(config, monkeypatch, capsys):
    options = ['--cfg-options', 'image_cache=there']
    run(monkeypatch, *options)
    run(monkeypatch, '--verify', *options)
    assert 'there: complete' in capsys.readouterr().out
    data = next(Path('there').glob('Market-1501_48x16_bicubic.*.u8'))
    data.write_bytes(bytes(data.stat().st_size))
    with pytest.raises(SystemExit):
        run(monkeypatch, '--verify', *options)
    faults = capsys.readouterr().err.splitlines()
    assert sum('its pixels in the cache are damaged' in f for f in faults) == 16


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--workers', '0'], '--workers must be at least 1, got 0'),
        (['--size', '0', '16'], '--size must be pixels'),
        (['--cfg-options', 'train_dataloader.dataset.i2i.data_root=no'], "'no'"),
        (['--cfg-options', 'train_dataloader.dataset.type=No'], "'No' is not"),
    ],
)
def test_refused(config, monkeypatch, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(monkeypatch, *arguments)
    assert message in capsys.readouterr().err
    assert not Path('data/cache').exists()
