"""tools/analysis_tools/benchmark_loading.py as a program, on a few images."""

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch

TOOL = Path(__file__).resolve().parents[2] / 'tools/analysis_tools/benchmark_loading.py'


def test_every_contestant_is_timed(monkeypatch, capsys):
    arguments = ['--images', '6', '--batch-size', '4', '--rounds', '2']
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *arguments])
    threads = torch.get_num_threads()
    try:
        with pytest.raises(SystemExit, match='^$'):
            runpy.run_path(str(TOOL), run_name='__main__')
    finally:
        torch.set_num_threads(threads)
    rows = re.findall(r'\| +(\d+ x \d+) \| ([\w, ]+?) +\| +([\d,]+) \| +([\d.]+) ',
                      capsys.readouterr().out)  # fmt: skip
    names = ['stock', 'ours, batch', 'ours, floats']
    names += ['ours with cache, batch', 'ours with cache, floats']
    sizes = ['128 x 64', '300 x 120']
    assert [row[:2] for row in rows] == [(s, n) for s in sizes for n in names]
    assert all(int(rate.replace(',', '')) > 0 for _, _, rate, _ in rows)
    assert [float(r) for _, name, _, r in rows if name == 'stock'] == [1.0, 1.0]


def test_both_pipelines_do_the_same(tmp_path):
    """Without chance, stock and ours give the same floats."""
    tool = runpy.run_path(str(TOOL))
    paths = tool['make_images'](tmp_path / 'p', 300, 120, 3)
    stock = tool['StockDataset'](paths)
    steps = stock.transform.transforms
    stock.transform.transforms = [steps[0], *steps[4:6]]  # resize, tensor, normalize
    expected = torch.stack([stock[i] for i in range(3)])
    tool['AUGMENTATION'][:3] = []
    batch = next(iter(tool['make_ours'](paths, tool['LOADING'], 3)))
    found = tool['ReIDDataPreprocessor'](tool['MEAN'], tool['STD'])(batch)
    torch.testing.assert_close(found['inputs']['images'], expected, rtol=0, atol=1e-5)
