"""A user's slip is a message that says what to do, without a traceback."""

import re
from pathlib import Path

import pytest

from tests.test_engine.engine_toy import toy_config

ROOT = Path(__file__).resolve().parents[2]
TOOLS = [*(ROOT / 'tools').glob('*.py'), *(ROOT / 'tools').glob('*/*.py')]
TINY = 'configs/bot/bot_tiny_synthpeds.py'


@pytest.fixture
def damaged(tmp_path):
    """A file that is no checkpoint."""
    path = tmp_path / 'damaged.pth'
    path.write_bytes(b'not a checkpoint')
    return path


OPTIONS = TINY, '--cfg-options'


@pytest.mark.parametrize(
    ('tool', 'arguments', 'message'),
    [
        (
            'train.py',
            ['configs/bot/bot_tiny.py'],
            "Did you mean 'bot_tiny_synthpeds.py'",
        ),
        ('train.py', [*OPTIONS, 'foo'], "--cfg-options 'foo': expected KEY=VALUE"),
        ('train.py', [*OPTIONS, 'model.heads.identify.0.featurx=v'], "mean 'feature'?"),
        ('train.py', [*OPTIONS, 'train_cfg.stage={}'], "Did you mean 'stages'?"),
        ('train.py', [*OPTIONS, 'num_wokers=3'], "Did you mean 'num_workers'?"),
        (
            'train.py',
            [*OPTIONS, 'train_dataloader.batch_size=17'],
            'than batch_size=17',
        ),
        ('train.py', [*OPTIONS, 'a=dict(b=1,c=(2,3))'], "'a' is not a setting"),
        ('train.py', [*OPTIONS, 'work_dir=README.md'], "'README.md' is a file"),
        (
            'train.py',
            [*OPTIONS, 'train_cfg.stages.identify.micro_batch_size=8'],
            'train_cfg.stages.identify.micro_batch_size=8: the batch norms',
        ),
        (
            'train.py',
            [*OPTIONS, 'visualizer.vis_backends.0.type=ClearMLVisBackend'],
            'pip install clearml',
        ),
        ('test.py', [TINY, 'nope.pth'], "Checkpoint 'nope.pth' does not exist."),
        (
            'model_converters/publish_clip.py',
            ['nope.pth', 'o.safetensors'],
            "'nope.pth' does not exist",
        ),
        ('analysis_tools/eval_features.py', ['nope.npz'], 'nope.npz'),
        ('analysis_tools/compare_runs.py', ['nowhere'], 'nowhere'),
        ('analysis_tools/count_parameters.py', ['nope.py'], "'nope.py' does not exist"),
        ('dataset_tools/build_cache.py', ['nope.py'], "'nope.py' does not exist"),
        ('dataset_tools/doctor.py', ['nope.py'], "'nope.py' does not exist"),
        ('visualization/browse_dataset.py', ['nope.py'], "'nope.py' does not exist"),
        ('misc/print_config.py', ['nope.py'], "'nope.py' does not exist"),
        ('misc/print_config.py', [TINY, '--only', 'modl'], "Did you mean 'model'?"),
    ],
)
def test_a_slip_is_a_message(call, monkeypatch, tool, arguments, message):
    monkeypatch.chdir(ROOT)
    code, printed = call(tool, *arguments)
    assert code == 2, printed
    assert message in printed
    assert 'Traceback' not in printed


def test_a_table_that_is_missing(call, tmp_path):
    config = toy_config(tmp_path)
    table = dict(type='TableDataset', table=str(tmp_path / 'people.csv'))
    config.train_dataloader.dataset = table
    config.dump(tmp_path / 'table.py')
    code, printed = call('train.py', tmp_path / 'table.py')
    assert code == 2, printed
    assert 'people.csv' in printed
    assert 'Traceback' not in printed


@pytest.mark.parametrize('arguments', [['o.safetensors'], ['o.safetensors', '--debug']])
def test_torchs_advice_reaches_nobody(call, damaged, tmp_path, arguments):
    code, printed = call(
        'model_converters/publish_clip.py', damaged, tmp_path / arguments[0]
    )
    assert code == 2
    assert 'it is damaged' in printed
    assert 'weights_only' not in printed


def test_advice_is_not_in_messages_of_other_readers(call, damaged, tmp_path):
    code, printed = call('test.py', TINY, damaged, '--work-dir', tmp_path)
    assert code == 2, printed
    assert 'weights_only' not in printed


def test_debug_shows_the_traceback(call):
    code, printed = call('misc/print_config.py', 'nope.py', '--debug')
    assert code == 2
    assert 'Traceback' in printed


@pytest.mark.parametrize('path', TOOLS, ids=lambda path: path.stem)
def test_every_tool_has_the_flag_and_one_place_that_prints(path):
    text = path.read_text('utf-8')
    assert "'--debug'" in text
    assert 'run_tool(main, ARGS)' in text
    assert not re.search(r'sys\.exit\(|SystemExit', text)


def test_the_plain_config_is_the_one_that_is_dumped(call, tmp_path):
    code, printed = call('misc/print_config.py', TINY, '--plain')
    assert code is None
    (tmp_path / 'plain.py').write_text(printed)
    again, repeated = call('misc/print_config.py', tmp_path / 'plain.py', '--plain')
    assert again is None
    assert repeated == printed


def test_settings_are_printed_with_their_places(call):
    code, printed = call(
        'misc/print_config.py',
        TINY,
        *('--only', 'train_cfg.stages.identify'),
        *('--cfg-options', 'train_dataloader.num_workers=3'),
    )
    assert code is None
    lines = {line.split(' = ')[0]: line for line in printed.splitlines()}
    stage = 'train_cfg.stages.identify'
    assert lines.keys() == {k for k in lines if k.startswith(f'{stage}.')}
    workers = lines[f'{stage}.train_dataloader.num_workers']
    assert workers.endswith('# --cfg-options, shared: train_dataloader.num_workers')
    assert '_base_/schedules/bot_tiny.py:' in lines[f'{stage}.epochs']
