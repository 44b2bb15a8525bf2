"""Optimizers are fused where they can be, and a fused step is the published one."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

import hplreid.engine  # noqa: F401


def wrapper_of(model, **optimizer):
    return build_optim_wrapper(
        model,
        dict(
            type='AutocastOptimWrapper',
            constructor='hplreid.TrainableOptimConstructor',
            optimizer=optimizer,
        ),
    )


@pytest.mark.parametrize('name', ['Adam', 'AdamW', 'SGD'])
def test_fused_by_default(name):
    assert wrapper_of(nn.Linear(2, 2), type=name, lr=0.1).optimizer.defaults['fused']


@pytest.mark.parametrize('option', [dict(fused=False), dict(foreach=True)])
def test_the_config_decides_otherwise(option):
    wrapper = wrapper_of(nn.Linear(2, 2), type='Adam', lr=0.1, **option)
    assert not wrapper.optimizer.defaults['fused']


def test_an_optimizer_without_a_fused_step_is_left_alone():
    wrapper = wrapper_of(nn.Linear(2, 2), type='Rprop', lr=0.1)
    assert 'fused' not in wrapper.optimizer.defaults


def adam_by_hand(values, gradients, lr, decay):
    """Adam of Kingma and Ba with L2 decay, step by step, on one tensor."""
    first, second = torch.zeros_like(values), torch.zeros_like(values)
    for step, gradient in enumerate(gradients, start=1):
        gradient = gradient + decay * values
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        mean = first / (1 - 0.9**step)
        values = values - lr * mean / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
    return values


def test_a_fused_step_of_adam_is_adams():
    generator = torch.manual_seed(0)
    model = nn.Linear(7, 5, bias=False).double()
    gradients = torch.randn(4, 5, 7, dtype=torch.float64, generator=generator)
    gradients[:, 0] = 0  # rows of a token table that no caption uses: they decay alone
    expected = adam_by_hand(model.weight.detach().clone(), gradients, 0.01, 0.1)
    wrapper = wrapper_of(model, type='Adam', lr=0.01, weight_decay=0.1)
    assert wrapper.optimizer.defaults['fused']
    for gradient in gradients:
        model.weight.grad = gradient.clone()
        wrapper.step()
    torch.testing.assert_close(model.weight.detach(), expected, rtol=0, atol=1e-12)


def test_a_checkpoint_of_a_plain_step_goes_on():
    """Runs that began before optimizers were fused are resumed as they were."""
    torch.manual_seed(0)
    models = [nn.Linear(3, 3), nn.Linear(3, 3)]
    models[1].load_state_dict(models[0].state_dict())
    plain = wrapper_of(models[0], type='Adam', lr=0.1, fused=False)

    def train(model, wrapper):
        wrapper.update_params(model(torch.ones(2, 3)).square().sum())

    train(models[0], plain)
    resumed = wrapper_of(models[1], type='Adam', lr=0.1)
    models[1].load_state_dict(models[0].state_dict())
    resumed.load_state_dict(copy.deepcopy(plain.state_dict()))
    for model, wrapper in zip(models, (plain, resumed), strict=True):
        train(model, wrapper)
    torch.testing.assert_close(models[1].weight, models[0].weight)
