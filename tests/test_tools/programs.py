"""Run the command-line tools in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(tool, *arguments, check=True):
    """Run a tool in the repository; return the completed process."""
    done = subprocess.run(
        [sys.executable, f'tools/{tool}', *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if check:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def run_tool(name, *arguments):
    """Run a tool of ``tools/analysis_tools``.

    Returns:
        The cells of each row of its tables, and its output.
    """
    printed = run(f'analysis_tools/{name}', *arguments).stdout
    lines = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in printed.splitlines()
    ]
    return [cells for cells in lines if len(cells) > 1], printed
