"""The benchmark of ranking as a program, on tiny sizes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_compares_with_a_product_and_a_sort():
    result = subprocess.run(
        [sys.executable, 'tools/analysis_tools/benchmark_evaluation.py']
        + ['--sizes', 'tiny', 'tiny-file', '--rounds', '1', '--sorted-queries', '40'],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(' ours ') == 2
    assert result.stdout.count(' product (') == 2
    assert result.stdout.count(' sort ') == 1  # a file's gallery is too large to sort
    (line,) = (x for x in result.stdout.splitlines() if 'differs by' in x)
    assert line.startswith('AP of 40 queries')
    assert float(line.split('differs by ')[1].split()[0]) < 1e-6
