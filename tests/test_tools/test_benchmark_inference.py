"""The benchmark of inference, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    done = subprocess.run(
        [
            sys.executable,
            'tools/analysis_tools/benchmark_inference.py',
            *arguments,
            *('--batch', '2', '--rounds', '3', '--precision', 'bf16'),
        ],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert 'batch 2, ' in done.stdout
    return {
        (cells[0], cells[2]): [*cells[1:2], *cells[3:]]
        for cells in (
            [cell.strip() for cell in line.split('|')[1:-1]]
            for line in done.stdout.splitlines()
        )
        if len(cells) == 6 and cells[0].endswith('.py')
    }


def test_what_is_only_trained_is_not_there():
    """Baseline, IRRA and Propot: the same parameters, pictures and captions."""
    paths = (
        'configs/clip/clip_tiny_synthpeds-t2i_sdm.py',
        'configs/irra/irra_tiny_synthpeds.py',
        'configs/propot/propot_tiny_synthpeds.py',
    )
    rows = run(*paths)
    assert list(rows) == [(p, kind) for p in paths for kind in ('pictures', 'captions')]
    assert len({parameters for parameters, *_ in rows.values()}) == 1
    for _, seconds, rate, ratio in rows.values():
        assert float(seconds) * float(rate) == pytest.approx(2, rel=0.1)
        assert float(ratio) > 0
    assert [rows[paths[0], kind][-1] for kind in ('pictures', 'captions')] == (
        ['1.000', '1.000']
    )


def test_prompts_at_test_are_there():
    paths = (
        'configs/promptsg/promptsg_tiny_synthpeds_constant.py',
        'configs/promptsg/promptsg_tiny_synthpeds.py',
        'configs/clip/clip_tiny_synthpeds-t2i_sdm.py',
    )
    rows = run(*paths)
    constant, composed = (
        int(rows[path, 'pictures'][0].replace(',', '')) for path in paths[:2]
    )
    assert composed > constant  # an inversion network and a text tower
    assert rows[paths[2], 'captions'][-1] == '-'  # the first config has none
