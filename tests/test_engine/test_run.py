"""Summary of scores over seeds."""

import json
from statistics import mean, stdev

import pytest

from hplreid.engine.run import summarize_seeds


def test_mean_and_standard_deviation_over_seeds(tmp_path):
    scores = {0: {'a/mAP': 10.0, 'a/R1': 50.0}, 7: {'a/mAP': 13.0, 'a/R1': 51.0}}
    table = summarize_seeds(scores, tmp_path / 'seeds.json')
    assert table.field_names == ['score', 'seed 0', 'seed 7', 'mean', 'spread']
    spread = stdev([10.0, 13.0])
    assert table.rows[0] == ['a/mAP', '10.00', '13.00', '11.50', f'{spread:.2f}']
    summary = json.loads((tmp_path / 'seeds.json').read_text())
    assert summary['a/R1'] == dict(
        mean=mean([50, 51]), spread=pytest.approx(0.5**0.5), values=[50.0, 51.0]
    )


def test_the_standard_deviation_of_one_seed_is_zero(tmp_path):
    table = summarize_seeds({3: {'a/mAP': 10.0}}, tmp_path / 'seeds.json')
    assert table.rows == [['a/mAP', '10.00', '10.00', '0.00']]
