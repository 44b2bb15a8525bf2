"""tools/dataset_tools/doctor.py as a program, on tiny datasets."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from tests.helpers import make_cuhk_pedes, make_market, market_name

TOOL = Path(__file__).resolve().parents[2] / 'tools/dataset_tools/doctor.py'


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the tool; return exit status and output."""

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [TOOL.name, *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(TOOL), run_name='__main__')
        return stop.value.code, capsys.readouterr()

    return call


@pytest.fixture
def trees(tmp_path):
    market = make_market(tmp_path / 'market')
    copied = market / 'bounding_box_train' / market_name(2, 1, 0)
    cuhk = make_cuhk_pedes(tmp_path / 'cuhk', market={1: 2}, market_files=[copied])
    return market, cuhk


@pytest.fixture
def config(trees, tmp_path):
    market, cuhk = trees
    i2i = {'type': 'Market1501', 'data_root': str(market), 'expected': None}
    t2i = {'type': 'CUHKPEDES', 'data_root': str(cuhk), 'expected': None}
    joint = {'type': 'JointDataset', 't2i': t2i, 'i2i': i2i, 'leak': 'none'}
    plain = {'pipeline': [{'type': 'LoadImage'}]}
    own = {'type': 'Market1501', '_delete_': True, 'data_root': str(tmp_path / 'own')}
    config = {
        'train_dataloader': {'dataset': {**joint, **plain}},
        'train_cfg': {
            'stages': {
                'a': {'train_dataloader': {'dataset': plain}},
                'b': {'train_dataloader': {'dataset': {**own, 'expected': None}}},
            }
        },
        'val_dataloader': {'dataset': {**t2i, 'split': 'val', **plain}},
        'val_evaluator': {'type': 'RetrievalMetric', 'task': 't2i'},
        'test_dataloader': {
            'images': {'dataset': {**i2i, 'split': 'test', **plain}},
            'words': {'dataset': {**t2i, 'split': 'test', **plain}},
        },
        'test_evaluator': {
            'images': [{'type': 'RetrievalMetric', 'task': 'i2i'}],
            'words': {'type': 'RetrievalMetric', 'task': 't2i'},
        },
    }
    make_market(tmp_path / 'own', first_pid=50)
    path = tmp_path / 'config.py'
    Config(config).dump(path)
    return path


def test_all_datasets_of_a_config_are_examined(call, config, tmp_path):
    out = tmp_path / 'out'
    code, printed = call(config, '--out', out, '--workers', 2)
    assert code == 0, printed.out
    report = json.loads((out / 'report.json').read_text())
    assert report['healthy']
    names = [split['name'] for split in report['splits']]
    assert names == [
        'Market-1501 train',  # Config.dump sorts keys
        'CUHK-PEDES train',
        'Market-1501 #2 train',
        'CUHK-PEDES val',
        'Market-1501 test',
        'CUHK-PEDES test',
    ]
    text = (out / 'report.txt').read_text()
    assert text in printed.out
    assert 'Images: 100%' in printed.err
    sheets = sorted(path.name for path in out.glob('*.png'))
    assert sheets == [
        'CUHK-PEDES_camera_unknown.png',
        'Market-1501__2_camera_0.png',
        'Market-1501__2_camera_1.png',
        'Market-1501_camera_0.png',
        'Market-1501_camera_1.png',
    ]
    assert len(list(out.iterdir())) == 2 + len(sheets)  # no temporary file is left


def test_sheet_shows_the_images_of_its_camera(call, trees, tmp_path):
    out = tmp_path / 'out'
    target = f'Market1501:{trees[0]}'
    code, _ = call(target, '--out', out, '--cfg-options', 'expected=None')
    assert code == 0
    for camera in (1, 2):
        with Image.open(out / f'Market-1501_camera_{camera - 1}.png') as file:
            sheet = np.asarray(file)
        path = trees[0] / 'bounding_box_train' / market_name(1, camera, camera - 1)
        with Image.open(path) as file:
            large = np.asarray(file).repeat(4, axis=0).repeat(4, axis=1)
        height, width = large.shape[:2]
        corners = sheet[: -height + 1, : -width + 1] == large[0, 0]
        assert any(
            np.array_equal(sheet[y : y + height, x : x + width], large)
            for y, x in np.argwhere(corners.all(-1))
        )


def test_exit_status_with_errors(call, trees):
    code, printed = call(f'Market1501:{trees[0]}')
    assert code == 1
    assert 'ERROR: counts, 1 in Market-1501 train' in printed.out
    (trees[0] / 'query' / market_name(5, 1, 0)).write_bytes(b'')
    code, printed = call(f'Market1501:{trees[0]}', '--cfg-options', 'expected=None')
    assert code == 1
    assert 'ERROR: empty file, 1 in' in printed.out


def test_camera_rule_of_the_metric(call, config, trees):
    for path in (trees[0] / 'bounding_box_test').glob('0005_c2*'):
        path.unlink()
    assert call(config)[0] == 1
    keep = 'test_evaluator.images.0.same_camera=keep'
    code, printed = call(config, '--cfg-options', keep)
    assert code == 0, printed.out


def test_against_another_dataset(call, trees):
    market, cuhk = trees
    code, printed = call(
        f'CUHKPEDES:{cuhk}',
        '--against',
        f'Market1501:{market}',
        '--cfg-options',
        'expected=None',
    )
    assert code == 0
    rows = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in printed.out.splitlines()
        if 'Market-1501' in line and line.startswith('|')
    ]
    assert rows == [['CUHK-PEDES train', 'Market-1501 train', '1', '1']]


def test_existing_data_of_a_config_is_not_made_again(call, tmp_path):
    market = make_market(tmp_path / 'there' / 'market')
    i2i = {'type': 'Market1501', 'data_root': str(market), 'expected': None}
    config = {
        'data_preparers': [{'type': 'SynthPeds', 'out': str(tmp_path / 'there')}],
        'train_dataloader': {'dataset': i2i},
    }
    Config(config).dump(tmp_path / 'config.py')
    assert call(tmp_path / 'config.py')[0] == 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('nope.py',), 'nope.py'),
        (('Nope:data',), "'Nope:data' is neither a config file nor CLASS:FOLDER"),
        (('Market1501:x', '--against', 'y'), "'y' is neither a config file"),
        (('Market1501:x', '--workers', '0'), '--workers must be at least 1, got 0'),
    ],
)
def test_invalid_arguments_exit_with_two(call, arguments, message):
    code, printed = call(*arguments)
    assert code == 2
    assert message in printed.err


def test_config_without_datasets(call, tmp_path):
    (tmp_path / 'empty.py').write_text('x = 1\n')
    code, printed = call(tmp_path / 'empty.py')
    assert code == 2
    assert 'has no datasets in its loaders' in printed.err
