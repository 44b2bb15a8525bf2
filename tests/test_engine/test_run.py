"""The summary over seeds, and what testing leaves out of a config."""

import json
from statistics import mean, stdev

import pytest
from mmengine.config import Config

from hplreid.engine.config.resolve import inference_config
from hplreid.engine.run import summarize_seeds, write_metrics

from .engine_toy import toy_config


def test_mean_and_spread_over_seeds(tmp_path):
    scores = {0: {'a/mAP': 10.0, 'a/R1': 50.0}, 7: {'a/mAP': 13.0, 'a/R1': 51.0}}
    table = summarize_seeds(scores, tmp_path / 'seeds.json')
    assert table.field_names == ['score', 'seed 0', 'seed 7', 'mean', 'spread']
    spread = stdev([10.0, 13.0])
    assert table.rows[0] == ['a/mAP', '10.00', '13.00', '11.50', f'{spread:.2f}']
    summary = json.loads((tmp_path / 'seeds.json').read_text())
    assert summary['a/R1'] == dict(
        mean=mean([50, 51]), spread=pytest.approx(0.5**0.5), values=[50.0, 51.0]
    )


def test_one_seed_has_no_spread(tmp_path):
    table = summarize_seeds({3: {'a/mAP': 10.0}}, tmp_path / 'seeds.json')
    assert table.rows == [['a/mAP', '10.00', '10.00', '0.00']]


def test_metrics_are_written_where_asked(tmp_path):
    write_metrics({'a/mAP': 1.5}, tmp_path / 'deep' / 'm.json')
    assert json.loads((tmp_path / 'deep' / 'm.json').read_text()) == {'a/mAP': 1.5}


def test_inference_needs_neither_training_nor_pretrained_weights(tmp_path):
    config = toy_config(tmp_path, load_from='a.pth', resume=True)
    config.merge_from_dict(
        dict(
            model=dict(image_encoder=dict(pretrained='openai', arch='a')),
            test_cfg=dict(type='BenchmarkLoop'),
        )
    )
    before = Config.fromstring(config.pretty_text, '.py')
    needed = inference_config(config)
    assert needed.model == dict(
        type='ToyModel', image_encoder=dict(pretrained=None, arch='a')
    )
    assert needed.test_cfg.type == 'BenchmarkLoop'
    for key in (
        'train_cfg',
        'train_dataloader',
        'optim_wrapper',
        'load_from',
        'resume',
    ):
        assert key not in needed
    assert config.to_dict() == before.to_dict()
