"""The memory of tensors, by hand."""

import torch
from torch import nn

from hplreid.utils.tensor_memory import (
    PeakTensorMemory,
    count_bytes,
    count_state_bytes,
)


def test_the_peak_is_that_of_what_lives_at_once():
    with PeakTensorMemory() as memory:
        a = torch.zeros(1000)
        b = a + 1
        del a
        c = b * 2  # b and c: as much as a and b
        del b, c
        torch.zeros(500)
    assert memory.peak == 8000


def test_views_and_tensors_of_before_take_none():
    before = torch.zeros(1000)
    with PeakTensorMemory() as memory:
        before.view(10, 100)[2:].add_(1)
        half = (before + 0)[:500]
        half.t()
    assert memory.peak == 4000


def test_what_the_backward_pass_needs_counts():
    weight = nn.Parameter(torch.ones(1000))
    x = torch.ones(1000)
    with PeakTensorMemory() as memory:
        y = (x * weight).exp().exp().exp()  # the results of exp are kept
        kept = memory.peak
        y.sum().backward()
    assert kept == 3 * 4000
    assert memory.peak > kept
    with PeakTensorMemory() as memory, torch.no_grad():
        (x * weight).exp().exp().exp()
    assert memory.peak == 2 * 4000


def test_state_of_adam_is_two_moments_of_each_parameter():
    model = nn.Linear(4, 4)
    model.register_buffer('tied', model.weight.detach()[:2])  # the weight's memory
    optimizer = torch.optim.Adam(model.parameters())
    assert count_state_bytes(model, optimizer) == 20 * 4
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    assert count_state_bytes(model, optimizer) == 3 * 20 * 4 + 2 * 4  # and two steps
    assert count_bytes([]) == 0
