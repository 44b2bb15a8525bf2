"""Settings that contradict each other are found before anything is built."""

import pytest

from hplreid.engine.config import read_config
from hplreid.engine.config.checks.conflicts import find_conflicts
from tests.test_engine.engine_toy import toy_config

BOT = 'configs/bot/bot_tiny_synthpeds.py'
HPL = 'configs/hpl/hpl_tiny_synthpeds.py'


@pytest.mark.parametrize('path', [BOT, HPL])
def test_a_config_without_contradictions(path):
    assert find_conflicts(read_config(path)) == []


@pytest.mark.parametrize(
    ('path', 'options', 'message'),
    [
        (
            BOT,
            {'train_dataloader.batch_size': 17},
            "train_dataloader of stage 'identify': IdentitySampler makes batches of "
            'another size (sampler.batch_size=64) than batch_size=17.',
        ),
        (
            BOT,
            {
                'train_dataloader.batch_size': 66,
                'train_dataloader.sampler.batch_size': 66,
            },
            'IdentitySampler has batch_size=66, which is not a multiple of '
            'num_instances=4.',
        ),
        (
            HPL,
            {'train_dataloader.sampler.num_pairs': 32},
            'num_pairs + num_ids x num_instances = 32 + 16 x 4 = 96',
        ),
        (
            BOT,
            {'test_dataloader.other.batch_size': 3},
            "test_dataloader.other: test_evaluator has no such benchmark. It has ['s",
        ),
        (
            BOT,
            {'model.heads.identifi': []},
            'model.heads.identifi: train_cfg.stages has no such stage. Did you mean '
            "'identify'?",
        ),
        (
            BOT,
            {'visualizer.vis_backends.0.type': 'ClearMLVisBackend'},
            'visualizer.vis_backends.0: ClearMLVisBackend needs a package that is not '
            'installed: pip install clearml',
        ),
        (
            BOT,
            {'work_dir': 'README.md/run'},
            "work_dir='README.md/run': 'README.md' is a file. Choose another folder.",
        ),
        (BOT, {'model': None}, 'model: there is none. A training needs one.'),
        (
            BOT,
            {'optim_wrapper': None},
            'train_cfg is set, but not optim_wrapper: a training needs train_cfg, ',
        ),
    ],
)
def test_contradictions(path, options, message):
    problem, *_ = find_conflicts(read_config(path, options))
    assert message in problem


def test_the_global_batch_is_shared_by_all_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(
        'hplreid.engine.config.checks.conflicts.get_world_size', lambda: 3
    )
    first, second = find_conflicts(toy_config(tmp_path))
    assert first == (
        "train_dataloader of stage 'construct': batch_size=8 is the batch of all "
        'processes together and is not a multiple of their number, 3.'
    )
    assert "stage 'align'" in second
