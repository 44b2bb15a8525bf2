"""Norms of weights and relative sizes of updates, against loops over numbers."""

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from hplreid.engine.hooks import WeightNormHook
from hplreid.engine.hooks.weight_norm_hook import part_norms, trainable_parts
from hplreid.registry import HOOKS
from tests.test_engine.engine_toy import toy_config, train

STEPS: list[tuple[dict, dict]] = []


@HOOKS.register_module()
class KeepsWeights(Hook):
    """Keeps the weights before and after each step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        STEPS.append((weights(runner.model), {}))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        STEPS[-1] = STEPS[-1][0], weights(runner.model)


def weights(model):
    return {
        name: parameter.detach().double().flatten().tolist()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def by_hand(before, after):
    """Return norm after a step and update over norm before, by part, in loops."""
    squares = {}
    for name, numbers in before.items():
        sums = squares.setdefault(name.split('.')[0], [0.0, 0.0, 0.0])
        for old, new in zip(numbers, after[name], strict=True):
            sums[0] += new**2
            sums[1] += (new - old) ** 2
            sums[2] += old**2
    return {
        part: (new**0.5, (moved / old) ** 0.5)
        for part, (new, moved, old) in squares.items()
    }


def watch(folder, interval, **changes):
    STEPS.clear()
    hooks = [
        dict(type='KeepsWeights'),
        dict(type='WeightNormHook', interval=interval),
    ]
    return train(toy_config(folder, custom_hooks=hooks, **changes))


def history(runner, name):
    return runner.message_hub.get_scalar(f'train/{name}').data[0].tolist()


def test_norms_and_updates_are_those_of_each_measured_step(tmp_path):
    runner = watch(tmp_path, interval=2)
    expected = [by_hand(*step) for step in STEPS[::2]]
    parts = {part for step in expected for part in step}
    assert {'prompt', 'tower'} <= parts
    logged = runner.message_hub.log_scalars
    for part in expected[-1]:
        own = [step[part] for step in expected if part in step]  # of the last stage
        norms = history(runner, f'weight_norm/{part}')
        ratios = history(runner, f'update_ratio/{part}')
        assert norms == pytest.approx(
            [norm for norm, _ in own][-len(norms) :], rel=1e-5
        )
        assert ratios == pytest.approx(
            [ratio for _, ratio in own][-len(ratios) :], rel=1e-3
        )
        assert ratios[-1] > 0
    # A part that a stage leaves frozen is not measured in it, nor logged any more
    frozen = parts - expected[-1].keys()
    assert frozen
    assert not any(f'train/weight_norm/{part}' in logged for part in frozen)


def test_accumulated_steps_are_measured_at_their_update(tmp_path):
    config = toy_config(tmp_path)
    wrapper = dict(config.optim_wrapper, accumulative_counts=3)
    runner = watch(tmp_path, interval=3, optim_wrapper=wrapper)
    ratios = history(runner, 'update_ratio/tower')
    assert ratios
    assert min(ratios) > 0


def test_a_run_is_the_same_with_the_hook(tmp_path):
    plain = train(toy_config(tmp_path / 'a'))
    watched = watch(tmp_path / 'b', interval=1)
    for a, b in zip(
        plain.model.state_dict().values(),
        watched.model.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(a, b)


def test_parts_have_each_trainable_parameter_once():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([2.0]))
            self.tower = nn.Linear(2, 2)
            self.frozen = nn.Linear(2, 2).requires_grad_(False)
            self.twin = self.tower

    model = Model()
    parts = trainable_parts(model)
    assert {part: len(own) for part, own in parts.items()} == {'own': 1, 'tower': 2}
    assert part_norms(parts)['own'].item() == 2.0
    half = part_norms({'a': [torch.full((4,), 300.0).half(), torch.zeros(1).half()]})
    assert float(half['a']) == 600.0


def test_a_part_of_zeros_has_no_ratio():
    hook, logged = WeightNormHook(interval=1), {}
    parameter = nn.Parameter(torch.zeros(2))

    class Runner:
        iter = 0
        model = nn.ParameterDict({'prompt': parameter})

        class optim_wrapper:  # noqa: N801
            should_update = staticmethod(lambda: True)

        class message_hub:  # noqa: N801
            log_scalars = {'train/weight_norm/frozen': 1.0}
            update_scalar = staticmethod(logged.__setitem__)

    hook.before_train_epoch(Runner)
    hook.before_train_iter(Runner, 0)
    parameter.data += 1
    hook.after_train_iter(Runner, 0)
    assert logged == {'train/weight_norm/own': pytest.approx(2**0.5)}
    assert not Runner.message_hub.log_scalars  # no line of a part that is frozen now


def test_the_interval_is_checked():
    with pytest.raises(ValueError, match='interval=0'):
        WeightNormHook(interval=0)
