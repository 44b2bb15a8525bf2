"""The step benchmark of CLIP-ReID compares implementations with equal results."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools/analysis_tools/benchmark_clip_reid_step.py'
SMALL = ('--arch', 'ViT-Ti-16-synthpeds', '--img-size', '128', '64')


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('benchmark_clip_reid_step', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_has_three_implementations(tool, monkeypatch, capsys):
    small = ('--batch', '8', '--num-ids', '4', '--rounds', '1')
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *SMALL, *small])
    tool.main(tool.parse_args())
    printed = capsys.readouterr().out
    rows = re.findall(r'\| (plain|cached features.*?|ours) +\| +([\d.]+) ', printed)
    assert [name.strip() for name, _ in rows] == [
        'plain',
        'cached features, plain prompts',
        'ours',
    ]
    assert all(float(seconds) > 0 for _, seconds in rows)
    assert 'prompts of 12 tokens' in printed


def test_different_results_are_an_error(tool):
    class Fixed:
        def __init__(self, value):
            self.value = value

        def results(self):
            return {'loss': torch.tensor([100.0, self.value])}

    implementations = dict(plain=Fixed(1.0), ours=Fixed(1.0005))
    assert tool.check_equal(implementations) == pytest.approx(5e-6, rel=1e-2)
    implementations['ours'].value = 1.01
    with pytest.raises(AssertionError, match='differ by 1.0e-04'):
        tool.check_equal(implementations)
