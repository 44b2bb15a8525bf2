"""The triplet alignment loss against its formula written out in loops."""

import math

import pytest
import torch

from hplreid.models.losses import TALLoss, tal_loss


def by_loops(image, text, labels, tau, margin):
    """The cost of each pair, both directions."""

    def cosine(x, y):
        return float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))

    def one(i, s):
        weights = {
            j: math.exp(s[j] / tau) for j in range(len(s)) if labels[j] == labels[i]
        }
        match = sum(w * s[j] for j, w in weights.items()) / sum(weights.values())
        others = sum(
            math.exp(s[j] / tau) for j in range(len(s)) if labels[j] != labels[i]
        )
        if others == 0:
            return 0.0
        return max(0.0, margin - match + tau * math.log(others))

    size = range(len(image))
    return [
        one(i, [cosine(image[i], text[j]) for j in size])
        + one(i, [cosine(image[j], text[i]) for j in size])
        for i in size
    ]


@pytest.mark.parametrize('options', [(0.015, 0.1), (0.3, 0.4)])
@pytest.mark.parametrize('labels', [[0, 1, 2, 3, 4], [0, 1, 0, 2, 0], [3] * 5])
def test_equals_the_formula(labels, options):
    torch.manual_seed(0)
    image, text = torch.randn(2, 5, 7, dtype=torch.float64)
    labels = torch.tensor(labels)
    costs = by_loops(image, text, labels, *options)
    found = tal_loss(image, text, labels, *options)
    assert found.item() == pytest.approx(sum(costs) / 5, 1e-12)
    found = TALLoss(*options, reduce='sum')(image, text, labels)
    assert found.item() == pytest.approx(sum(costs), 1e-12)


def test_a_margin_that_is_kept_costs_nothing():
    eye = torch.eye(3, dtype=torch.float64).requires_grad_()
    loss = tal_loss(eye, eye, torch.arange(3))
    loss.backward()
    assert loss == 0
    assert torch.equal(eye.grad, torch.zeros(3, 3).double())


def test_one_identity_has_nothing_to_be_told_from():
    image, text = torch.randn(2, 4, 3, requires_grad=True)
    loss = tal_loss(image, text, torch.zeros(4, dtype=torch.int64))
    assert loss == 0


def test_weights_of_matches_are_constants():
    """The gradient is that of the formula with the weights put in as numbers."""
    torch.manual_seed(1)
    image, text = torch.randn(2, 4, 3, dtype=torch.float64).unbind()
    labels = torch.tensor([0, 0, 1, 1])
    unit = torch.nn.functional.normalize
    match = labels[:, None] == labels[None]

    def direction(s, weights):
        others = torch.where(match, 0, (s / 0.5).exp()).sum(1).log() * 0.5
        return (0.4 - (weights * s).sum(1) + others).clamp(min=0)

    def literal(image, text):
        s = unit(image, dim=1) @ unit(text, dim=1).T
        weights = [torch.where(match, (x.detach() / 0.5).exp(), 0) for x in (s, s.T)]
        weights = [w / w.sum(1, keepdim=True) for w in weights]
        return (direction(s, weights[0]) + direction(s.T, weights[1])).mean()

    gradients = []
    for loss in (literal, lambda i, t: tal_loss(i, t, labels, 0.5, 0.4)):
        leaves = [x.clone().requires_grad_() for x in (image, text)]
        loss(*leaves).backward()
        gradients.append([x.grad for x in leaves])
    torch.testing.assert_close(*gradients)
    assert gradients[0][0].abs().sum() > 0
