"""docs/search.md: its Python runs as it stands there, its commands are the tools'."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import make_market
from tests.test_apis.conftest import tiny_runs  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'search.md').read_text('utf-8')


def test_python_of_the_page(tiny_runs, tmp_path, monkeypatch, capsys):  # noqa: F811
    pytest.importorskip('qdrant_edge', reason='galleries need the extra search')
    monkeypatch.chdir(tmp_path)
    published, _ = tiny_runs('HPL').published
    os.link(published, 'hpl.safetensors')
    make_market('market')
    Path('market/bounding_box_test').rename('crops')
    (code,) = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
    capsys.readouterr()
    exec(compile(code, 'docs/search.md', 'exec'), {})
    _, *hits = capsys.readouterr().out.splitlines()  # the log's line first
    assert hits
    assert all(re.match(r'\d -?\d\.\d{3} \d{4}_c2.*\.jpg$', hit) for hit in hits)


def test_commands_are_those_of_the_tools():
    blocks = re.findall(r'```bash\n(.*?)```', PAGE, re.DOTALL)
    lines = '\n'.join(blocks).replace('\\\n', '').splitlines()
    tools = [shlex.split(line)[1:] for line in lines if line.startswith('python ')]
    assert len(tools) >= 8
    for tool, *arguments in tools:
        names = [a for a in arguments if a.startswith('--')]
        command = arguments[:1] if tool == 'tools/search.py' else []
        done = subprocess.run(
            [sys.executable, tool, *command, '--help'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in names:
            assert name in done.stdout, (tool, name)
