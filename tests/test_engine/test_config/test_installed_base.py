"""A config of another project inherits from one that is installed, by its name."""

import shutil
from pathlib import Path

import pytest

from hplreid.engine.config.read import read_config
from hplreid.engine.config.sources import read_family

ROOT = Path(__file__).parents[3]
CONFIG = 'bot/bot_tiny_synthpeds.py'


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package as a wheel leaves it, with its configs in ``.mim``."""
    package = tmp_path / 'site' / 'hplreid'
    shutil.copytree(ROOT / 'configs', package / '.mim' / 'configs')
    shutil.copy(ROOT / 'model-index.yml', package / '.mim')
    for name in ('get_installed_path', 'is_installed'):
        found = {'get_installed_path': str(package), 'is_installed': True}[name]
        monkeypatch.setattr(
            f'mmengine.config.config.{name}', lambda _, found=found: found
        )
    return package


def test_an_installed_config_is_a_base(installed, tmp_path, monkeypatch):
    own = tmp_path / 'project' / 'mine.py'
    own.parent.mkdir()
    own.write_text(f"_base_ = 'hplreid::{CONFIG}'\nrandomness = dict(seed=3)\n")
    monkeypatch.chdir(own.parent)
    expected = read_config(str(ROOT / 'configs' / CONFIG)).to_dict()
    found = read_config(str(own)).to_dict()
    assert found['randomness'].pop('seed') == 3
    expected['randomness'].pop('seed')
    assert found == expected
    (base,) = read_family(str(own)).bases  # as print_config.py reads it
    assert base.path.name == 'bot_tiny_synthpeds.py'
