"""Runs the tools of the project as a user does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_tool(name, *arguments):
    """Run a tool of ``tools/analysis_tools``.

    Returns:
        The cells of each line of its table, and all that it printed.
    """
    done = subprocess.run(
        [sys.executable, f'tools/analysis_tools/{name}', *arguments],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in done.stdout.splitlines()
    ]
    return [cells for cells in lines if len(cells) > 1], done.stdout
