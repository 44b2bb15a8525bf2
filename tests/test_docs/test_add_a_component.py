"""docs/add_a_component.md: its code is the project's, its commands train."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope

from hplreid.engine.config.read import read_config
from tests.test_configs import enter_stage, shrink
from tests.test_models.test_reid.tiny import add_nano_arch, make_batch

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / 'projects' / 'part_prompts'
PAGE = (ROOT / 'docs' / 'add_a_component.md').read_text('utf-8')
CODE = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
COMMANDS = re.findall(r'^python (tools/train.py .*)$', PAGE, re.MULTILINE)


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


def test_its_code_is_the_projects():
    assert len(CODE) >= 6
    files = [path.read_text('utf-8') for path in PROJECT.rglob('*.py')]
    for block in CODE:
        assert any(block in text for text in files), block


def read(command, monkeypatch):
    """The config that a command trains."""
    monkeypatch.chdir(ROOT)
    parser = argparse.ArgumentParser()
    parser.add_argument('tool')
    parser.add_argument('config')
    parser.add_argument('--cfg-options', nargs='+', action='extend')
    args = parser.parse_args(shlex.split(command))
    return read_config(args.config, args.cfg_options)


def train_a_step(config):
    """Losses of a batch in each stage, with weights from one seed."""
    torch.manual_seed(0)
    model = shrink(config)
    found = {}
    for name, stage in config.train_cfg.stages.items():
        enter_stage(model, name, stage.trainable)
        losses = model.loss(make_batch())
        assert all(torch.isfinite(v) for v in losses.values()), losses
        sum(losses.values()).backward()
        found[name] = {key: value.item() for key, value in losses.items()}
    return found


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_trains_and_changes_what_it_says(command, monkeypatch):
    losses = train_a_step(read(command, monkeypatch))
    as_it_is = train_a_step(read(command.split(' --cfg-options')[0], monkeypatch))
    if 'part_prompts' not in command:
        assert losses != as_it_is


def test_each_kind_of_component_is_swapped(monkeypatch):
    """Backbone, prompt learner, inversion network, neck, head and loss."""
    changed = ' '.join(COMMANDS)
    for place in (
        'image_encoder.type',
        'prompt_learner.',
        'image_inversion.type',
        '.neck=',
        'heads.align.0.type',
        '.margin=',
    ):
        assert place in changed, place
