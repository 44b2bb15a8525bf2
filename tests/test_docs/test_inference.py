"""The Python of docs/inference.md runs as it stands there, and its commands too."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import make_market
from tests.test_apis.conftest import tiny_runs  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'inference.md').read_text('utf-8')


@pytest.fixture
def folder(tiny_runs, tmp_path, monkeypatch):  # noqa: F811
    """A folder with what the page names."""
    monkeypatch.chdir(tmp_path)
    work = Path('work_dirs/hpl_tiny_synthpeds')
    work.mkdir(parents=True)
    published, _ = tiny_runs('HPL').published
    os.link(published, work / 'final.safetensors')
    make_market('data/synthpeds/Market-1501-v15.09.15')
    make_market('crops')
    Path('people.csv').write_text(
        'path,pid\n'
        + ''.join(f'{path},a\n' for path in Path('crops/query').glob('*.jpg'))
    )
    return tmp_path


def test_ten_lines_embed_search_and_draw(folder, capsys):
    (code,) = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    exec(compile(code, 'docs/inference.md', 'exec'), {})
    printed = capsys.readouterr().out
    assert re.search(r'\(\d+, 16\) float32', printed)
    assert re.search(r'^1 -?0\.\d{3} data/synthpeds/.*\.jpg$', printed, re.MULTILINE)
    with Image.open('found.png') as image:
        assert np.array(image).std() > 5


def test_commands_are_those_of_the_tools():
    commands = [
        shlex.split(line)
        for block in re.findall(r'```bash\n(.*?)```', PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 5
    for _, tool, *arguments in commands:
        help_ = subprocess.run(
            [sys.executable, tool, '--help'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for argument in arguments:
            if argument.startswith('--'):
                assert argument in help_, (tool, argument)
