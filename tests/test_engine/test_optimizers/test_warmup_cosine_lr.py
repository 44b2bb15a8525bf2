"""The schedule of TransReID, compared with timm's."""

import math

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE
from timm.scheduler import CosineLRScheduler

from hplreid.engine.optimizers import WarmupCosineLR, warmup_cosine
from hplreid.registry import PARAM_SCHEDULERS


def make_optimizer(lr=0.008):
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{'params': parameters[:1]}, {'params': parameters[1:], 'lr': 2 * lr}]
    return torch.optim.SGD(groups, lr=lr)


def learning_rates(optimizer, scheduler, epochs):
    found = []
    for _ in range(epochs):
        found.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(('epochs', 'warmup'), [(120, 5), (12, 2), (8, 0)])
def test_learning_rates_are_those_of_timm_from_epoch_1(epochs, warmup):
    optimizer = make_optimizer()
    found = learning_rates(
        optimizer, WarmupCosineLR(optimizer, warmup=warmup, end=epochs), epochs
    )
    for group, lr in enumerate((0.008, 0.016)):
        parameter = torch.nn.Parameter(torch.zeros(1))
        reference = torch.optim.SGD([parameter], lr=lr)
        timms = CosineLRScheduler(
            reference,
            t_initial=epochs,
            lr_min=0.002 * lr,
            warmup_t=warmup,
            warmup_lr_init=0.01 * lr,
            cycle_limit=1,
        )
        for epoch in range(1, epochs + 1):
            timms.step(epoch)
            expected = reference.param_groups[0]['lr']
            assert found[epoch - 1][group] == pytest.approx(expected, rel=1e-9)


def test_factors_by_hand():
    factors = [warmup_cosine(t, 120, 5, 0.01, 0.002) for t in (1, 4, 5, 60, 120)]
    cosine = 0.002 + 0.998 * (1 + math.cos(math.pi / 24)) / 2
    assert factors == pytest.approx([0.208, 0.802, cosine, 0.501, 0.002])


def test_a_resumed_schedule_continues():
    optimizer = make_optimizer()
    unbroken = learning_rates(
        optimizer, WarmupCosineLR(optimizer, warmup=5, end=20), 20
    )
    first = make_optimizer()
    scheduler = WarmupCosineLR(first, warmup=5, end=20)
    learning_rates(first, scheduler, 7)
    second = make_optimizer()
    resumed = WarmupCosineLR(second, warmup=5, end=20)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    assert learning_rates(second, resumed, 13) == unbroken[7:]


def test_a_schedule_by_iterations():
    optimizer = make_optimizer()
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='WarmupCosineLR', warmup=6, by_epoch=False),
        default_args=dict(optimizer=optimizer, end=30, epoch_length=3),
    )
    assert MMENGINE.get('hplreid.WarmupCosineLR') is type(scheduler)
    found = learning_rates(optimizer, scheduler, 30)
    expected = [0.008 * warmup_cosine(t + 1, 30, 6, 0.01, 0.002) for t in range(30)]
    assert [lr for lr, _ in found] == pytest.approx(expected)


@pytest.mark.parametrize(
    'options', [dict(warmup=5), dict(warmup=9, end=8), dict(warmup=-1, end=8)]
)
def test_impossible_lengths_are_errors(options):
    with pytest.raises(ValueError, match=f'warmup={options["warmup"]}, begin=0, end='):
        WarmupCosineLR(make_optimizer(), **options)
