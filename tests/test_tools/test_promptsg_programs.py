"""The benchmark of PromptSG's inference, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_benchmark_prints_the_three_and_their_ratios():
    done = subprocess.run(
        [
            sys.executable,
            'tools/analysis_tools/benchmark_promptsg_inference.py',
            *('--arch', 'ViT-Ti-16-synthpeds', '--img-size', '128', '64'),
            *('--batch', '2', '--rounds', '3', '--precision', 'bf16'),
        ],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    rows = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in done.stdout.splitlines()
        if line.count('|') == 5
    ][1:]
    assert [row[0] for row in rows] == [
        'tower alone',
        'constant prompt',
        'composed prompt',
    ]
    for _, seconds, rate, ratio in rows:
        assert float(seconds) > 0
        assert float(rate) > 0
        assert float(ratio) > 0
    assert float(rows[0][3]) == 1
    assert 'batch 2, ' in done.stdout
