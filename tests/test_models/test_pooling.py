"""Pooling against loops over a map's places."""

import pytest
import torch

from hplreid.models.necks import generalized_mean
from hplreid.registry import NECKS


def build(type_, **options):
    return NECKS.build({'type': type_, **options}).double()


def maps():
    torch.manual_seed(0)
    return torch.rand(2, 3, 4, 2, dtype=torch.float64) - 0.2


def by_loops(x, p, eps=1e-6):
    rows = []
    for image in x.tolist():
        rows.append([])
        for channel in image:
            places = [max(value, eps) ** p for line in channel for value in line]
            rows[-1].append((sum(places) / len(places)) ** (1 / p))
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize('p', [1.0, 3.0, 6.5])
def test_gem_is_that_of_loops(p):
    torch.testing.assert_close(build('GeM', p=p)(maps()), by_loops(maps(), p))


def test_gem_at_one_is_the_average_and_at_many_the_maximum():
    positive = maps().abs() + 0.1
    average = build('GlobalAveragePool')(positive)
    torch.testing.assert_close(build('GeM', p=1)(positive), average)
    torch.testing.assert_close(average, positive.flatten(2).mean(2))
    largest = positive.flatten(2).amax(2)
    torch.testing.assert_close(
        generalized_mean(positive, 300.0), largest, rtol=0.01, atol=0
    )


def test_average_counts_what_is_negative():
    x = -torch.ones(1, 2, 3, 3, dtype=torch.float64)
    assert build('GlobalAveragePool')(x).tolist() == [[-1, -1]]


def test_the_exponent_learns():
    neck = build('GeM')
    assert neck.p.item() == 3
    assert torch.autograd.gradcheck(
        generalized_mean, (maps().abs().add(0.1).requires_grad_(), neck.p)
    )


def test_dead_channels_have_a_finite_gradient():
    neck = NECKS.build({'type': 'GeM'})
    x = torch.zeros(2, 3, 4, 2, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        pooled = neck(x)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, torch.full((2, 3), 1e-6))
    pooled.sum().backward()
    assert x.grad.isfinite().all()
    assert neck.p.grad.isfinite()


@pytest.mark.parametrize('options', [dict(p=0), dict(p=-1), dict(eps=0)])
def test_rejected_arguments_are_named(options):
    with pytest.raises(ValueError, match=f'{next(iter(options))}='):
        build('GeM', **options)
