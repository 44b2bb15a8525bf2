"""Stages: parameters, optimizer and schedule of each, and the order of hooks."""

import multiprocessing
from copy import deepcopy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from hplreid.engine.tf32 import tf32
from hplreid.registry import DATA_SAMPLERS
from tests.test_engine.engine_toy import ToySampler, toy_config, train

EVENTS = ['before_train_epoch', *['before_train_iter', 'after_train_iter'] * 3]
EVENTS = [*EVENTS, 'after_train_epoch']


class Recorder(Hook):
    """A hook that records calls of hooks, and the learning rates of each step."""

    def __init__(self):
        self.events, self.learning_rates, self.batches = [], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        groups = runner.optim_wrapper.optimizer.param_groups
        self.learning_rates.append([group['lr'] for group in groups])
        self.batches.append(len(data_batch['label']))


def record(name):
    def call(self, runner, **kwargs):
        self.events.append(name)
        own = Recorder.__dict__.get(f'_{name}')
        if own:
            own(self, runner, **kwargs)

    return call


Recorder._before_train_iter = Recorder.before_train_iter
for event in {*EVENTS, 'before_train', 'after_train'}:
    setattr(Recorder, event, record(event))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """A finished run of both stages, and its recorder."""
    recorder = Recorder()
    config = toy_config(tmp_path_factory.mktemp('run'))
    runner = build(config, recorder)
    runner.train()
    return runner, recorder


def build(config, *hooks):
    config.experiment_name = f'loop{id(config)}'
    runner = Runner.from_cfg(config)
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def weights(runner, epoch):
    path = f'{runner.work_dir}/epoch_{epoch}.pth'
    return torch.load(path, weights_only=True)['state_dict']


def changed(before, after):
    return {k for k in before if not torch.equal(before[k], after[k])}


def test_a_stage_trains_its_parameters_and_no_others(finished, tmp_path):
    runner, _ = finished
    first = build(toy_config(tmp_path)).model.state_dict()  # same seed, same start
    tower = {k for k in first if k.startswith('tower')}
    assert changed(first, weights(runner, 2)) == {'prompt.weight'}
    assert changed(weights(runner, 2), weights(runner, 5)) == {
        *tower,
        'heads.align.0.weight',
        'heads.align.0.bias',
    }


def test_a_frozen_batch_norm_keeps_its_statistics(tmp_path):
    runner = build(toy_config(tmp_path))
    runner.model.tower.append(torch.nn.BatchNorm1d(3))
    first = deepcopy(runner.model.state_dict())
    runner.train()
    assert changed(first, weights(runner, 2)) == {'prompt.weight'}
    statistics = {f'tower.3.{k}' for k in ('running_mean', 'running_var')}
    assert statistics < changed(weights(runner, 2), weights(runner, 5))


def test_enter_stage_is_called_once_per_stage(finished):
    assert finished[0].model.entered == ['construct', 'align']


def test_hooks_are_called_as_in_epoch_based_training(finished):
    assert finished[1].events == ['before_train', *EVENTS * 5, 'after_train']


def test_schedules_count_the_epochs_of_their_stage(finished):
    base = [lrs[0] for lrs in finished[1].learning_rates]
    construct = [0.02] * 3 + [0.01] * 3
    ramp = [0.01 * (0.1 + 0.9 * step / 5) for step in range(6)]
    assert base == pytest.approx([*construct, *ramp, 0.001, 0.001, 0.001])
    # lr_mult of biases and of heads
    assert finished[1].learning_rates[-1] == pytest.approx([0.001, 0.002, 0.005])


def test_epochs_and_iterations_count_on(finished):
    loop = finished[0].train_loop
    assert (loop.epoch, loop.max_epochs) == (5, 5)
    assert (loop.iter, loop.max_iters) == (15, 15)


def test_trainable_parameters_with_equal_settings_share_a_group(finished):
    runner = finished[0]
    names = {id(p): n for n, p in runner.model.named_parameters()}
    lr = 0.001
    groups = [
        (g['lr'], g['weight_decay'], {names[id(p)] for p in g['params']})
        for g in runner.optim_wrapper.optimizer.param_groups
    ]
    assert groups == [
        (pytest.approx(lr), 0.1, {'tower.0.weight', 'tower.2.weight'}),
        (pytest.approx(2 * lr), 0, {'tower.0.bias', 'tower.2.bias'}),
        (
            pytest.approx(5 * lr),
            0.1,
            {'heads.align.0.weight', 'heads.align.0.bias'},
        ),
    ]


def test_losses_of_the_previous_stage_are_removed_from_the_log(finished):
    # 9 steps of stage II, without the 6 of stage I
    hub = finished[0].message_hub
    assert len(hub.get_scalar('train/loss_id').data[0]) == 9
    assert len(hub.get_scalar('train/time').data[0]) == 15


def test_a_stage_has_its_own_data(tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages.align.train_dataloader = dict(
        batch_size=4, sampler=dict(batch=4)
    )
    recorder = Recorder()
    runner = build(config, recorder)
    runner.train()
    assert recorder.batches == [8] * 6 + [4] * 18
    assert runner.max_iters == 24


def test_stages_with_the_same_data_share_a_dataset(finished):
    construct, align = finished[0].train_loop._loaders
    assert construct is not align
    assert construct.dataset is align.dataset


def test_the_number_of_workers_changes_nothing(finished, tmp_path):
    runner = train(
        toy_config(
            tmp_path, train_dataloader=dict(num_workers=2, persistent_workers=True)
        )
    )
    assert not changed(finished[0].model.state_dict(), runner.model.state_dict())
    assert multiprocessing.active_children() == []  # of neither stage


class NoisyValidation(BaseLoop):
    """A validation that draws random numbers, as a dataloader does when it starts."""

    runs = 0

    def __init__(self, runner, dataloader, evaluator):
        super().__init__(runner, [])

    def run(self):
        NoisyValidation.runs += 1
        torch.rand(10)
        return {}


def test_validation_has_its_interval_and_changes_no_weights(finished, tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.update(val_interval=2, val_begin=3)
    config.update(
        val_cfg=dict(type=NoisyValidation), val_dataloader={}, val_evaluator={}
    )
    runner = train(config)
    assert NoisyValidation.runs == 2  # after epochs 4 and 5, the last
    assert not changed(finished[0].model.state_dict(), runner.model.state_dict())


@DATA_SAMPLERS.register_module()
class ToyPartsSampler(ToySampler):
    """A sampler whose batches have parts of other sizes than the config says."""

    parts = (6, 4)


@pytest.mark.parametrize(
    ('stage', 'message'),
    [
        (dict(trainable=['promt']), r"'promt'.*no such part.*heads, prompt, tower"),
        (dict(trainable=['heads.construct']), 'have no parameters'),
        (dict(trainable='prompt'), 'trainable is a list of names'),
        (dict(trainable=[]), "no 'trainable'"),
        (dict(epochs=0), "no 'epochs'"),
        (dict(optimizer=dict(type='SGD')), "unknown key 'optimizer'"),
        (dict(train_dataloader=dict(dataset=dict(shift=1))), 'different identities'),
        (
            dict(train_dataloader=dict(sampler=dict(type='ToyPartsSampler'))),
            r'makes batches of 6 \+ 4 items; train_dataloader.batch_size=8',
        ),
        (
            dict(optim_wrapper=dict(paramwise_cfg=dict(custom_keys={'tower': {}}))),
            "custom_keys: 'tower' is in no name",
        ),
    ],
)
def test_malformed_stages_are_errors(tmp_path, stage, message):
    config = toy_config(tmp_path)
    config.train_cfg.stages.construct.update(stage)
    with pytest.raises(ValueError, match=message):
        build(config).train()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(param_scheduler=dict(type='StepLR', step_size=1)),
            'param_scheduler is set at the top',
        ),
        (dict(auto_scale_lr=dict(enable=True, base_batch_size=4)), 'auto_scale_lr'),
    ],
)
def test_top_level_keys_of_stages_are_errors(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        build(toy_config(tmp_path, **changes)).train()


@pytest.mark.parametrize('stages', [{}, [dict(epochs=1)]])
def test_stages_without_names_are_errors(tmp_path, stages):
    config = toy_config(tmp_path)
    config.train_cfg.stages = stages
    with pytest.raises(ValueError, match='expected a dict of stages by name'):
        build(config).train()


def test_a_stage_without_optimizer_is_an_error(tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages.align.pop('optim_wrapper')
    with pytest.raises(ValueError, match="Stage 'align' has no optimizer"):
        build(config).train()


def test_a_sampler_that_yields_too_few_items_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(ToySampler, '__len__', lambda self: 40)
    with pytest.raises(
        RuntimeError, match='ToySampler has a length of 5 batches and yielded 3'
    ):
        build(toy_config(tmp_path)).train()


def test_schedules_before_the_first_update_are_no_reason_to_warn(tmp_path, recwarn):
    config = toy_config(tmp_path)
    config.optim_wrapper.accumulative_counts = 2
    schedule = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4)
    config.train_cfg.stages.construct.param_scheduler = [schedule]
    build(config).train()
    assert not [str(w.message) for w in recwarn if 'scheduler.step' in str(w.message)]


def test_gradients_accumulate_to_the_end_of_a_stage(tmp_path):
    """6 steps of stage I, 9 of stage II: updates after 4, 6, and after 4, 8, 9."""
    counted, config = [], toy_config(tmp_path)
    config.optim_wrapper.accumulative_counts = 4

    class Updates(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.before = deepcopy(runner.model.state_dict())

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if changed(self.before, runner.model.state_dict()):
                counted.append(runner.iter + 1)

    recorder = Recorder()
    build(config, Updates(), recorder).train()
    assert counted == [4, 6, 10, 14, 15]
    # Schedules count steps, as without
    assert [lrs[0] for lrs in recorder.learning_rates][:6] == [0.02] * 3 + [0.01] * 3


@pytest.mark.parametrize('size', [0, 2.5, '16'])
def test_a_micro_batch_has_a_size(tmp_path, size):
    config = toy_config(tmp_path)
    config.train_cfg.stages.align.micro_batch_size = size
    with pytest.raises(ValueError, match="stage 'align' has micro_batch_size="):
        build(config).train_loop  # noqa: B018


def test_a_method_that_can_not_be_cached_is_refused_before_training(tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages.align.micro_batch_size = 2
    expected = "'align' has micro_batch_size=2, but ToyModel computes its losses itself"
    with pytest.raises(ValueError, match=expected):
        build(config).train_loop  # noqa: B018


@pytest.mark.parametrize('allowed', [False, True])
def test_tf32_is_for_training_steps_alone(tmp_path, allowed):
    seen = {}

    class Flags(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen['train'] = torch.backends.cudnn.allow_tf32
            seen['products'] = torch.backends.cuda.matmul.allow_tf32

        def after_train(self, runner):
            seen['after'] = torch.backends.cudnn.allow_tf32

    with tf32(False):
        build(toy_config(tmp_path, **{'train_cfg.tf32': allowed}), Flags()).train()
    assert seen == dict(train=allowed, products=allowed, after=False)
