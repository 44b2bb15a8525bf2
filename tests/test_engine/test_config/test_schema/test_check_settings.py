"""Settings that nothing takes and values of a wrong type, at every depth."""

import pytest
from mmengine.config import Config

from hplreid.engine.config import check_settings, read_config
from hplreid.engine.config.errors import ConfigError
from hplreid.engine.config.schema import find_setting_problems, find_trial_problems
from tests.test_engine.engine_toy import toy_config

BOT = 'configs/bot/bot_tiny_synthpeds.py'
HPL = 'configs/hpl/hpl_tiny_synthpeds.py'
STAGE = 'train_cfg.stages.align'


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('train_dataloader.num_wokers', 2, "Did you mean 'num_workers'?"),
        ('train_dataloader.num_workers', 'four', "='four': expected int."),
        ('train_dataloader.num_workers', 10**9, 'Expected at most 1024; this machine'),
        ('train_dataloader.batch_size', 0, '=0: expected an integer from 1 up.'),
        ('train_dataloader.sampler.num_id', 4, "Did you mean 'num_ids'?"),
        ('train_dataloader.dataset.leek', 'no', "Did you mean 'leak'?"),
        ('train_dataloader.dataset.pipeline.1.sise', 3, "Did you mean 'size'?"),
        ('test_dataloader.synthpeds_i2i.batch_sise', 3, "Did you mean 'batch_size'?"),
        ('test_evaluator.synthpeds_i2i.tsk', 'i2i', "Did you mean 'task'?"),
        (
            'model.heads.align.0.tua',
            0.1,
            "SDMHead has no such setting. Did you mean 't",
        ),
        ('model.image_encoder.archh', 'a', "Did you mean 'arch'?"),
        ('model.prompt_lerner', None, "Did you mean 'prompt_learner'?"),
        ('train_cfg.stage', {}, "Did you mean 'stages'?"),
        (f'{STAGE}.epoch', 1, "Did you mean 'epochs'?"),
        (f'{STAGE}.epochs', 'one', "='one': expected int."),
        (f'{STAGE}.optim_wrapper.optimiser', {}, "Did you mean 'optimizer'?"),
        (f'{STAGE}.optim_wrapper.optimizer.lrr', 1, "Did you mean 'lr'?"),
        (f'{STAGE}.optim_wrapper.optimizer.lr', 'high', "='high': expected float"),
        (f'{STAGE}.optim_wrapper.paramwise_cfg.custom_key', {}, "'custom_keys'?"),
        (
            f'{STAGE}.optim_wrapper.paramwise_cfg.custom_keys.bias.lr_mult',
            -2,
            '=-2: expected a number from 0 up.',
        ),
        (
            f'{STAGE}.optim_wrapper.paramwise_cfg.row_decay_mult',
            -1,
            '=-1: expected a number from 0 up.',
        ),
        ('log_processor.by_epoch', 5, '=5: expected bool.'),
        (f'{STAGE}.optim_wrapper.clip_grad', {'max_nrm': 1}, "Did you mean 'max_norm'"),
        (f'{STAGE}.param_scheduler.0.start_facto', 1, "Did you mean 'start_factor'?"),
        (
            f'{STAGE}.param_scheduler',
            [{'type': 'StepLR', 'step_size': 1, 'gamma': -1}],
            '.0.gamma=-1: expected a number from 0 up.',
        ),
        ('default_hooks.checkpointt.interval', 1, "Did you mean 'checkpoint'?"),
        ('default_hooks.checkpoint.intervl', 1, "Did you mean 'interval'?"),
        ('custom_hooks.1.num_querie', 1, "Did you mean 'num_queries'?"),
        ('env_cfg.mp_cfg.mp_start_metod', 'fork', "Did you mean 'mp_start_method'?"),
        ('env_cfg.dist_cfg.timeot', 1, "Did you mean 'timeout'?"),
        ('randomness.sed', 1, "Did you mean 'seed'?"),
        ('log_processor.windowsize', 1, "Did you mean 'window_size'?"),
        ('visualizer.vis_backend', [], "Did you mean 'vis_backends'?"),
        ('data_preparers.0.seeed', 1, "Did you mean 'seed'?"),
        ('resume', 'maybe', "='maybe': expected bool."),
        ('model.heads.align.0.type', 3, '.type=3: expected the name of a class.'),
    ],
)
def test_a_slip_is_named_with_its_place(key, value, message):
    with pytest.raises(ConfigError) as caught:
        read_config(HPL, {key: value})
    (line,) = str(caught.value).splitlines()[1:]
    parts = key.split('.')
    assert line.startswith(f'  1. {".".join(parts[:2])}')
    assert message in line


def test_what_stages_share_is_named_where_it_is_set(tmp_path):
    config = toy_config(tmp_path)
    config.optim_wrapper.clip_gradd = None
    config.train_cfg.stages.align.optim_wrapper.precisio = 'fp32'
    first, second = find_setting_problems(config)
    assert first.startswith('optim_wrapper.clip_gradd: AutocastOptimWrapper has no')
    assert second.startswith('train_cfg.stages.align.optim_wrapper.precisio: ')


def test_parts_that_lack_a_setting(tmp_path):
    config = toy_config(tmp_path)
    config.custom_hooks = [dict(type='EarlyStoppingHook'), dict(interval=1)]
    config.train_cfg.stages.align.param_scheduler = dict(type='MultiStepLR')
    problems = find_setting_problems(config)
    assert problems == [
        'train_cfg.stages.align.param_scheduler: MultiStepLR needs '
        "'milestones', which has no default.",
        "custom_hooks.0: EarlyStoppingHook needs 'monitor', which has no default.",
        "custom_hooks.1={'interval': 1} has no 'type'.",
    ]
    # A file for others to be based on may
    assert find_setting_problems(config, complete=False) == []


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        (
            'train_cfg.stages.identify.optim_wrapper.optimizer.lr',
            -1,
            'optimizer: Adam cannot be built: Invalid learning rate: -1',
        ),
        (
            'train_dataloader.dataset.pipeline.2.prob',
            3,
            'pipeline.2: RandomFlip cannot be built: prob must be a probability',
        ),
        (
            'train_cfg.stages.identify.param_scheduler.0.start_factor',
            2,
            'param_scheduler.0: LinearLR cannot be built: ',
        ),
        ('test_evaluator.synthpeds_i2i.task', 'i3i', 'RetrievalMetric cannot be built'),
    ],
)
def test_values_that_constructors_refuse(key, value, message):
    (problem,) = find_trial_problems(read_config(BOT, {key: value}))
    assert message in problem


def test_a_good_config_is_built_on_trial_without_a_word(tmp_path):
    assert find_trial_problems(toy_config(tmp_path)) == []
    check_settings(toy_config(tmp_path))


def test_components_of_unknown_types_are_passed_over():
    config = Config(dict(model=dict(type='NoSuchModel', anything=1)))
    assert find_setting_problems(config) == []
