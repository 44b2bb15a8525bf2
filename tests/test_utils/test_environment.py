"""Mixed installations are errors; two messages, and no others, are hidden."""

import subprocess
import sys
import types
import warnings
from importlib.machinery import ModuleSpec

import pytest

from hplreid.utils import environment


@pytest.fixture
def installed(monkeypatch):
    names = set()
    monkeypatch.setattr(environment, '_is_installed', names.__contains__)
    return names


def test_both_families_together_are_an_error_with_a_fix(installed):
    installed.update({'mmengine', 'onedl-mmengine', 'onedl-mmcv'})
    with pytest.raises(ImportError) as caught:
        environment.check_environment()
    message = str(caught.value)
    assert 'mmengine and onedl-mmengine, onedl-mmcv are both installed' in message
    assert 'pip uninstall -y mmengine\n' in message
    assert '--force-reinstall --no-deps onedl-mmengine onedl-mmcv' in message


@pytest.mark.parametrize('names', [{'onedl-mmengine', 'onedl-mmcv'}, {'mmengine'}])
def test_one_family_is_accepted(installed, names):
    installed.update(names)
    environment.check_environment()


def test_one_warning_is_hidden():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        environment.check_environment()
        warnings.warn(
            'Fail to import ``MultiScaleDeformableAttention`` from', stacklevel=1
        )
        warnings.warn('Fail to import something else', stacklevel=1)
    assert [str(w.message) for w in caught] == ['Fail to import something else']


class Talker:
    """A loader of a module that prints on import."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        print('before')
        print('Could not import OneDL')
        print('Could not import OneDL, nor anything else')


def test_one_line_is_hidden(capsys):
    environment._QuietLoader(Talker()).exec_module(types.ModuleType('m'))
    assert capsys.readouterr().out == (
        'before\nCould not import OneDL, nor anything else\n'
    )


def test_only_one_module_has_the_quiet_loader(monkeypatch):
    monkeypatch.setattr(
        environment.PathFinder,
        'find_spec',
        lambda name, path, target=None: ModuleSpec(name, Talker()),
    )
    finder = environment._QuietFinder()
    assert finder.find_spec('mmpretrain.models', None) is None
    spec = finder.find_spec('mmpretrain.datasets', None)
    assert isinstance(spec.loader, environment._QuietLoader)


def test_an_import_is_silent():
    code = (
        'from hplreid.utils.environment import check_environment; check_environment();'
        'check_environment(); import mmpretrain.datasets'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert 'OneDL' not in done.stdout + done.stderr
    assert 'MultiScale' not in done.stdout + done.stderr
