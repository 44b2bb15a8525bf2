"""A run prints its own lines once, and the warnings of others."""

import logging
import re
from pathlib import Path

import pytest
from mmengine.logging import MMLogger, print_log

from hplreid.engine import console
from hplreid.engine.console import open_console, tidy_console
from hplreid.engine.run import prepare_run, train
from hplreid.utils.log import log
from tests.test_engine.engine_toy import toy_config


@pytest.fixture
def ours(monkeypatch):
    """Make this file one of the package, as its path tells."""
    monkeypatch.setattr(console, '_PACKAGE', Path(__file__).parent)


def printed(capsys):
    return [line.split(' ', 1)[1] for line in capsys.readouterr().out.splitlines()]


def test_own_lines_are_printed_once(capsys, ours):
    logger = open_console()
    for _ in range(2):
        log('12 identities')
    logger.info('for the file', extra=dict(file_only=True))
    log('slow', level=logging.WARNING)
    assert printed(capsys) == ['12 identities', 'warning: slow']


def test_of_others_only_warnings_are_printed(capsys):
    logger = open_console()
    logger.info('a line from outside of the package')
    print_log('so is this', logger='current')
    print_log('"FileClient" will be deprecated', logger='current', level=30)
    print_log('mind this', logger='current', level=30)
    assert printed(capsys) == ['warning: mind this']


def test_the_time_comes_first(capsys, ours):
    open_console()
    log('text')
    assert re.fullmatch(r'\d\d:\d\d:\d\d text\n', capsys.readouterr().out)


def test_the_file_has_everything_and_the_console_repeats_nothing(
    tmp_path, capsys, ours
):
    early = open_console()
    log('read')
    path = tmp_path / 'run.log'
    logger = tidy_console(
        MMLogger.get_instance(f'run {tmp_path}', log_file=str(path)), early
    )
    log('read')
    logger.info('hidden', extra=dict(file_only=True))
    for handler in logger.handlers:
        handler.flush()
    assert printed(capsys) == ['read']
    assert [line.split(' - ')[-1] for line in path.read_text().splitlines()] == [
        'read',
        'hidden',
    ]


def test_a_run_in_a_few_lines(tmp_path, capsys):
    config = toy_config(tmp_path, log_level='INFO', experiment_name='short')
    prepare_run(config)
    train(config)
    lines = printed(capsys)
    assert len(lines) < 10
    assert lines[0].startswith("Stage 'construct' (1 of 2): epochs 1 to 2, 3 steps")
    assert 'fp32 on cpu' in lines[0]
    assert lines[-1].endswith(f'{tmp_path / "final.safetensors"}')
    (file,) = tmp_path.glob('*/*.log')
    text = file.read_text()
    assert 'System environment' in text
    assert 'Optimizer group' in text


def test_what_is_resumed_is_said(tmp_path, capsys):
    config = toy_config(tmp_path, log_level='INFO', resume=True)
    for number, expected in enumerate(
        (
            f'No checkpoint to resume in {tmp_path}: training starts anew',
            f'Resumed {tmp_path}/epoch_5.pth: 5 epochs, 15 steps are done',
        )
    ):
        config.experiment_name = f'resumed {number}'
        prepare_run(config)
        train(config)
        assert expected in printed(capsys)
    config.merge_from_dict(dict(resume=False, load_from=str(tmp_path / 'epoch_2.pth')))
    config.experiment_name = 'loaded'
    config.work_dir = str(tmp_path / 'loaded')
    prepare_run(config)
    train(config)
    loaded = [line for line in printed(capsys) if 'epoch_2.pth' in line]
    assert loaded == [f'{tmp_path}/epoch_2.pth: took 7 of 7 tensors of ToyModel']
