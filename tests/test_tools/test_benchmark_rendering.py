"""tools/analysis_tools/benchmark_rendering.py as a program, on a few images."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools/analysis_tools/benchmark_rendering.py'


def test_rates_and_shares_are_printed(monkeypatch, capsys):
    arguments = ['--chunks', '1', '--rounds', '1', '--workers', '1']
    monkeypatch.setattr(sys, 'argv', [str(TOOL), *arguments])
    with pytest.raises(SystemExit, match='^$'):
        runpy.run_path(str(TOOL), run_name='__main__')
    text = capsys.readouterr().out
    rates = re.findall(r'\| +(in chunks of 10|one by one) \| +([\d.]+) \|', text)
    assert [name for name, _ in rates] == ['in chunks of 10', 'one by one']
    assert all(float(rate) > 0 for _, rate in rates)
    assert float(re.search(r'processes: 1, together ([\d.]+) images/s', text)[1]) > 0
    shares = re.findall(r'(\d+)% \|', text)
    assert len(shares) == 7
    assert 95 <= sum(map(int, shares)) <= 105


def test_nothing_to_do_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', [str(TOOL), '--chunks', '0'])
    with pytest.raises(SystemExit):
        runpy.run_path(str(TOOL), run_name='__main__')
    assert 'must be at least 1' in capsys.readouterr().err
