"""Tools as functions: run in this process, with what they print and exit with."""

import runpy
import sys

import pytest

from .programs import ROOT


@pytest.fixture
def call(monkeypatch, capfd):
    """Run a tool in this process; return its exit code and what it printed."""

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        code = None
        try:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        except SystemExit as error:
            code = error.code
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call
