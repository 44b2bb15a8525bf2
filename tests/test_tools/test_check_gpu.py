"""The check of a GPU as a program, on a CPU."""

import argparse
import importlib.util
import json
import subprocess

from hplreid.engine.measurement.gpu_checks import CHECKS

from .programs import ROOT, run

TOOL = 'analysis_tools/check_gpu.py'


def test_a_check_that_fails_keeps_no_other_from_running(tmp_path):
    options = '--methods', 'none', '--checks', 'training', 'ranking', '--out', tmp_path
    cpu = '--device', 'cpu', '--small', '--seconds', 300
    done = run(TOOL, *cpu, *options, check=False)
    assert done.returncode == 1
    assert '3 results, 1 failed' in done.stdout
    written = json.loads((tmp_path / 'check_gpu.json').read_text())
    assert written['device'].startswith('CPU, PyTorch ')
    (row,) = written['checks']['training']['rows']
    assert row['what'] == "training: KeyError: 'none'"
    assert all(row['passed'] for row in written['checks']['ranking']['rows'])
    table = (tmp_path / 'check_gpu.md').read_text().splitlines()
    assert table[2] == '| what | found | asked for | |'
    assert len(table) == 7
    assert all(line.count('|') == 5 for line in table[2:])
    assert table[4].endswith('| **failed** |')


def load_tool():
    spec = importlib.util.spec_from_file_location('check_gpu', ROOT / 'tools' / TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_checks_take_six_minutes_at_most():
    tool = load_tool()
    assert set(tool.SECONDS) == set(CHECKS)
    assert sum(tool.SECONDS.values()) <= 360


def test_a_check_that_takes_too_long_keeps_what_it_has_found(tmp_path, monkeypatch):
    tool = load_tool()
    args = argparse.Namespace(
        out=tmp_path, seconds=0.5, device='cpu', steps=1, small=True, methods=None
    )
    found = dict(what='one', value='1', bound='', passed=True)

    def take_too_long(command, timeout, **_):
        (tmp_path / 'ranking.json').write_text(json.dumps(dict(rows=[found])))
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(tool.subprocess, 'run', take_too_long)
    first, second = tool.start_check('ranking', args)
    assert first == found
    assert second['what'] == 'ranking: took more than 0.5 s'
    assert not second['passed']
