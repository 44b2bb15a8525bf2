"""The examples in docstrings run, and what is public has one."""

import doctest
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

import hplreid

MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(hplreid.__path__, 'hplreid.')
    if '.mim' not in name
)
WITH_EXAMPLES = [
    name
    for name in MODULES
    if '>>> ' in Path(importlib.util.find_spec(name).origin).read_text('utf-8')
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples_of(name):
    module = importlib.import_module(name)
    return [t for t in doctest.DocTestFinder().find(module, name) if t.examples]


def public_functions():
    """Yield each function that a room exports, under the name that it is known by."""
    for name in MODULES:
        module = importlib.import_module(name)
        if hasattr(module, '__path__'):
            for public in getattr(module, '__all__', ()):
                value = getattr(module, public)
                if inspect.isfunction(value):
                    yield f'{value.__module__}.{public}', value


@pytest.mark.parametrize('name', WITH_EXAMPLES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MMLogger.get_current_instance()  # else log lines become output of the example
    assert examples_of(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report = []
    for test in examples_of(name):
        runner.run(test, out=report.append)
    assert runner.failures == 0, ''.join(report)


def test_every_public_function_has_an_example():
    without = {n for n, f in public_functions() if '>>>' not in (f.__doc__ or '')}
    assert not without, '\n'.join(sorted(without))
