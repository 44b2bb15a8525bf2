"""Contrast of prototypes and instances against loops; the printed form beside it."""

import math

import pytest
import torch

from hplreid.models.losses import (
    PrototypeContrastLoss,
    printed_prototype_contrast,
    prototype_contrast_loss,
)

LABELS = [2, 0, 2, 5, 2, 0]
NUM_IDS = 7


def shares(features, prototype, tau):
    """Softmax over the instances of their cosine with one prototype."""
    cosines = [
        sum(x * y for x, y in zip(row, prototype, strict=True))
        / math.hypot(*row)
        / math.hypot(*prototype)
        for row in features
    ]
    e = [math.exp(c / tau) for c in cosines]
    return [x / sum(e) for x in e]


def by_loops(features, prototypes, labels, tau, logarithm):
    """Cost of each identity that has instances, by Eq. 10 to 12."""
    costs = {}
    for identity in sorted(set(labels)):
        share = shares(features.tolist(), prototypes[identity].tolist(), tau)
        own = [p for p, label in enumerate(labels) if label == identity]
        terms = [math.log(share[p]) if logarithm else share[p] for p in own]
        costs[identity] = -sum(terms) / len(own)
    return costs


@pytest.fixture
def batch():
    torch.manual_seed(0)
    features = torch.randn(len(LABELS), 5, dtype=torch.float64)
    prototypes = torch.randn(NUM_IDS, 5, dtype=torch.float64)
    return features, prototypes, torch.tensor(LABELS)


@pytest.mark.parametrize('tau', [0.02, 0.5])
@pytest.mark.parametrize('reduce', ['mean', 'sum'])
def test_equals_the_loops(batch, tau, reduce):
    features, prototypes, labels = batch
    costs = by_loops(features, prototypes, LABELS, tau, logarithm=True)
    expected = sum(costs.values()) / (len(costs) if reduce == 'mean' else 1)
    found = prototype_contrast_loss(features, prototypes[labels], labels, tau, reduce)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    module = PrototypeContrastLoss(tau, reduce)
    assert module(features, prototypes[labels], labels) == found


def test_an_identity_counts_once_however_many_instances_it_has(batch):
    features, prototypes, labels = batch
    mean = prototype_contrast_loss(features, prototypes[labels], labels, 0.5)
    per_row = torch.stack(
        [
            torch.tensor(by_loops(features, prototypes, LABELS, 0.5, True)[label])
            for label in LABELS
        ]
    )
    assert mean.item() != pytest.approx(per_row.mean().item(), rel=1e-3)


@pytest.mark.parametrize('tau', [0.02, 0.5])
def test_printed_form_equals_the_loops(batch, tau):
    costs = by_loops(*batch[:2], LABELS, tau, logarithm=False)
    found = printed_prototype_contrast(*batch, tau)
    assert found.item() == pytest.approx(sum(costs.values()), rel=1e-12)
    assert -len(set(LABELS)) <= found.item() <= 0


def test_printed_and_corrected_forms_part():
    """An instance opposite to its prototype: one form pulls it, one lets it be."""
    features = torch.tensor([[-1.0, 0.1], [1.0, 0.1]], dtype=torch.float64)
    prototypes = torch.tensor([[1.0, 0.0], [0.9, 0.5]], dtype=torch.float64)
    labels = torch.tensor([0, 1])
    slopes = []
    for loss, given in (
        (prototype_contrast_loss, prototypes[labels]),
        (printed_prototype_contrast, prototypes),
    ):
        x = features.clone().requires_grad_()
        loss(x, given, labels, 0.02).backward()
        slopes.append(x.grad[0].norm().item())
    corrected, printed = slopes
    assert corrected > 1
    assert printed < 1e-30


def test_identities_outside_the_batch_change_neither_form(batch):
    features, prototypes, labels = batch
    other = prototypes.clone()
    absent = [i for i in range(NUM_IDS) if i not in LABELS]
    other[absent] = torch.randn(len(absent), 5, dtype=torch.float64)
    assert torch.equal(
        printed_prototype_contrast(features, prototypes, labels),
        printed_prototype_contrast(features, other, labels),
    )


def test_gradients_reach_both_sides(batch):
    features, prototypes, labels = batch
    inputs = features.requires_grad_(), prototypes.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, p: prototype_contrast_loss(f, p[labels], labels, 0.5), inputs
    )
