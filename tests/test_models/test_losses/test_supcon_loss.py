"""Supervised contrast against loops, and against HPL's Eq. 8 and 9."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hplreid.models.losses import (
    SupConLoss,
    image_to_prompt_loss,
    prompt_to_image_loss,
    supcon_loss,
)


def similarity(a, b, kind):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot if kind == 'dot' else dot / math.hypot(*a) / math.hypot(*b)


def by_loops(anchors, candidates, labels, kind, tau):
    """One direction, anchors to candidates."""
    anchors, candidates = anchors.tolist(), candidates.tolist()
    labels = labels.tolist()
    total = 0.0
    for a, label in zip(anchors, labels, strict=True):
        e = [math.exp(similarity(a, c, kind) / tau) for c in candidates]
        costs = [
            -math.log(x / sum(e))
            for x, other in zip(e, labels, strict=True)
            if other == label
        ]
        total += sum(costs) / len(costs)
    return total / len(anchors)


@pytest.mark.parametrize(
    ('kind', 'tau'), [('cosine', 1.0), ('cosine', 0.02), ('dot', 1)]
)
@pytest.mark.parametrize('labels', [[0, 1, 2, 3], [0, 1, 0, 0], [2] * 4])
def test_equals_the_loops(labels, kind, tau):
    torch.manual_seed(0)
    image, text = torch.randn(2, 4, 5, dtype=torch.float64)
    labels = torch.tensor(labels)
    expected = [
        by_loops(image, text, labels, kind, tau),
        by_loops(text, image, labels, kind, tau),
    ]
    for both in (
        supcon_loss(image, text, labels, kind, tau),
        SupConLoss(kind, tau)(image, text, labels),
    ):
        assert [x.item() for x in both] == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    kind=st.sampled_from(['cosine', 'dot']),
    tau=st.sampled_from([1.0, 0.1, 0.02]),
    seed=st.integers(0, 1000),
)
def test_equations_8_and_9_are_supervised_contrast(labels, kind, tau, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor(labels)
    image = torch.randn(
        len(labels), 6, dtype=torch.float64, generator=generator
    ).requires_grad_()
    table = torch.randn(5, 6, dtype=torch.float64, generator=generator).requires_grad_()
    prompt = table[labels]  # the prompt of a row depends on its identity alone
    i2t, t2i = supcon_loss(image, prompt, labels, kind, tau)
    literal = (
        image_to_prompt_loss(image, prompt, kind, tau),
        prompt_to_image_loss(image, prompt, kind, tau),
    )
    close = {'rtol': 1e-10, 'atol': 1e-10}
    torch.testing.assert_close((i2t, t2i), literal, **close)
    torch.testing.assert_close(
        torch.autograd.grad(i2t + t2i, (image, table), retain_graph=True),
        torch.autograd.grad(sum(literal), (image, table)),
        **close,
    )


def test_they_differ_once_prompts_depend_on_the_row():
    torch.manual_seed(1)
    image, prompt = torch.randn(2, 4, 6, dtype=torch.float64)
    _, t2i = supcon_loss(image, prompt, torch.tensor([0, 0, 1, 1]))
    assert abs(t2i - prompt_to_image_loss(image, prompt)) > 1e-3


def test_literal_equations_by_loops():
    torch.manual_seed(2)
    image, prompt = torch.randn(2, 5, 4, dtype=torch.float64)
    v, r = image.tolist(), prompt.tolist()
    eq8 = eq9 = 0.0
    for i in range(5):
        own = math.exp(similarity(v[i], r[i], 'cosine'))
        eq8 -= math.log(own / sum(math.exp(similarity(x, r[i], 'cosine')) for x in v))
        eq9 -= math.log(own / sum(math.exp(similarity(v[i], x, 'cosine')) for x in r))
    assert prompt_to_image_loss(image, prompt).item() == pytest.approx(eq8 / 5)
    assert image_to_prompt_loss(image, prompt).item() == pytest.approx(eq9 / 5)


@pytest.mark.parametrize(('kind', 'tau'), [('cosine', 0.02), ('dot', 1.0)])
def test_temperature_follows_the_similarity_unless_given(kind, tau):
    assert SupConLoss(kind).tau == tau
    assert SupConLoss(kind, 0.5).tau == 0.5


def test_gradient():
    torch.manual_seed(3)
    inputs = torch.randn(2, 4, 3, dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, 1, 1, 0])
    assert torch.autograd.gradcheck(
        lambda x: supcon_loss(x[0], x[1], labels, 'cosine', 0.3), inputs
    )
