"""Each term's share of the gradient, against gradients taken one by one."""

from copy import deepcopy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from torch import nn

from hplreid.engine.config import read_config
from hplreid.engine.hooks import GradientShareHook
from hplreid.engine.hooks.gradient_share_hook import gradient_norms
from hplreid.engine.loops import parse_stages
from hplreid.engine.measurement import TrainingCase, make_up_batch
from hplreid.engine.random_state import capture_rng, restore_rng
from hplreid.registry import HOOKS
from tests.test_engine.engine_toy import toy_config, train

SHARES = dict(type='GradientShareHook', interval=2)
PROGRESS = dict(type='ProgressHook')


@HOOKS.register_module()
class KeepsAStep(Hook):
    """Keeps model and batch of the third step of the second stage, whose log stays."""

    priority = 'VERY_HIGH'
    kept: tuple

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 8:
            type(self).kept = (
                deepcopy(runner.model),
                deepcopy(data_batch),
                capture_rng(),
            )


def history(runner, name):
    return runner.message_hub.get_scalar(f'train/{name}').data[0].tolist()


def test_norms_by_loops():
    torch.manual_seed(0)
    net = nn.Linear(3, 2).double()
    unused = nn.Parameter(torch.ones(1, dtype=torch.float64))
    x = torch.randn(4, 3, dtype=torch.float64)
    y = net(x)
    dy = 2 * y.detach()  # of b
    losses = {'a': y.sum(), 'b': y.square().sum(), 'c': torch.tensor(2.0)}
    found = gradient_norms(losses, [*net.parameters(), unused])
    squares = {'a': 0.0, 'b': 0.0}
    for o in range(2):
        for i in range(3):
            squares['a'] += sum(float(x[n, i]) for n in range(4)) ** 2
            squares['b'] += sum(float(dy[n, o] * x[n, i]) for n in range(4)) ** 2
        squares['a'] += 4.0**2
        squares['b'] += sum(float(dy[n, o]) for n in range(4)) ** 2
    assert found['a'] == pytest.approx(squares['a'] ** 0.5, rel=1e-6)
    assert found['b'] == pytest.approx(squares['b'] ** 0.5, rel=1e-6)
    assert found['c'] == 0


def test_shares_are_those_of_the_parameters_before_the_step(tmp_path):
    config = toy_config(tmp_path, custom_hooks=[dict(type='KeepsAStep'), SHARES])
    config.model.dropout = 0.0
    runner = train(config)
    model, batch, rng = KeepsAStep.kept
    norms = {}
    for name in ('loss_pull', 'loss_id'):
        model.zero_grad()
        restore_rng(rng)  # the losses of this model are random
        model(**model.data_preprocessor(batch, True), mode='loss')[name].backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        norms[name] = sum(float(g.square().sum()) for g in gradients) ** 0.5
    for name, norm in norms.items():
        assert history(runner, f'gradient_norm/{name}')[1] == pytest.approx(norm)
        share = norm / sum(norms.values())
        assert history(runner, f'gradient_share/{name}')[1] == pytest.approx(share)


def test_a_run_is_the_same_with_the_hook(tmp_path):
    plain = train(toy_config(tmp_path / 'a'))
    watched = train(toy_config(tmp_path / 'b', custom_hooks=[SHARES]))
    for a, b in zip(
        plain.model.state_dict().values(),
        watched.model.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(a, b)


@pytest.mark.parametrize('name', ['hpl/hpl_tiny_synthpeds', 'bot/bot_tiny_synthpeds'])
def test_terms_of_a_method_have_shares_and_its_norms_stay(name):
    init_default_scope('hplreid')
    config = read_config(f'configs/{name}.py', {'optim_wrapper.precision': 'fp32'})
    stage = parse_stages(
        config.train_cfg.stages,
        dict(config.optim_wrapper),
        config.train_dataloader.to_dict(),
    )[-1]
    batch = make_up_batch(stage, 6, 8)
    case = TrainingCase(config.model.to_dict(), stage, [batch], 6, 'cpu')
    before = deepcopy(case.model.state_dict())
    logged = {}

    class Runner:
        iter = 0
        model = case.model
        optim_wrapper = case.optim_wrapper

        class message_hub:  # noqa: N801
            update_scalar = staticmethod(logged.__setitem__)

    GradientShareHook().before_train_iter(Runner, 0, batch)
    after = case.model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    losses = case.step()
    shares = {
        k.rpartition('/')[2]: v for k, v in logged.items() if 'gradient_share' in k
    }
    assert shares.keys() == losses.keys() - {'loss'}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares.values()) < 1  # several terms pull


def test_the_interval_is_checked():
    with pytest.raises(ValueError, match='interval=0'):
        GradientShareHook(interval=0)


def test_what_is_printed_are_losses(tmp_path, capsys):
    train(toy_config(tmp_path, custom_hooks=[SHARES, PROGRESS], log_level='INFO'))
    lines = [line for line in capsys.readouterr().out.splitlines() if ' left, ' in line]
    assert lines
    assert all('(pull' in line or '(id' in line for line in lines)
    assert not any('gradient' in line for line in lines)
