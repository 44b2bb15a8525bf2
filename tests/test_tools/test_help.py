"""Help and mistakes of the command line are answered before the slow imports.

What was imported is looked at, not the time, which depends on the machine.
"""

import json
import re
import subprocess
import sys

import pytest

from hplreid.datasets.benchmarks.cuhk03_np import DETECTORS
from hplreid.evaluation.distance import DISTANCES
from hplreid.synthpeds import PRESETS, SIZES

from .programs import ROOT

TOOLS = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / 'tools').rglob('*.py')
)
# Runs all tools in one process; a module that one has imported counts for it alone
RUN_ALL = """
import contextlib, io, json, runpy, sys
answers = {}
argument, *tools = sys.argv[1:]
for tool in tools:
    before = set(sys.modules)
    sys.argv = [tool, argument]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            runpy.run_path(tool, run_name='__main__')
            code = None
        except SystemExit as error:
            code = error.code
    loaded = [m for m in ('torch', 'torchvision', 'scipy', 'matplotlib', 'hplreid')
              if m in set(sys.modules) - before]
    answers[tool] = code, loaded, printed.getvalue()
print(json.dumps(answers))
"""


def run_all(argument):
    """Run all tools with one argument; return exit code, imports and output of each."""
    done = subprocess.run(
        [sys.executable, '-c', RUN_ALL, argument, *TOOLS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope='module')
def answers():
    return run_all('--help')


def test_help_of_every_tool_imports_nothing_slow(answers):
    assert len(answers) == len(TOOLS)
    for tool, (code, loaded, text) in answers.items():
        assert code == 0, f'{tool}: {text}'
        assert not loaded, f'{tool} --help has imported {loaded}'
        assert text.startswith('usage:'), tool


def test_mistakes_in_every_command_line_are_found_before_slow_imports():
    for tool, (code, loaded, text) in run_all('--no-such-flag').items():
        assert code == 2, f'{tool}: {text}'
        assert not loaded, f'{tool} has imported {loaded} to find a mistake'


@pytest.mark.parametrize(
    ('tool', 'flag', 'choices'),
    [
        ('tools/analysis_tools/benchmark_rendering.py', '--difficulty', PRESETS),
        ('tools/analysis_tools/eval_features.py', '--distance', DISTANCES),
        ('tools/dataset_tools/convert_cuhk03.py', '--detector', DETECTORS),
        ('tools/dataset_tools/make_synthpeds.py', '--size', SIZES),
        ('tools/dataset_tools/make_synthpeds.py', '--difficulty', PRESETS),
    ],
)
def test_tools_offer_the_choices_that_the_package_knows(answers, tool, flag, choices):
    _, _, text = answers[tool]
    listed = re.search(rf'\s{flag} {{([^}}]*)}}', text).group(1)
    assert set(listed.split(',')) == set(choices)
