"""CMPM and CMPC against their formulas written out in loops."""

import math

import pytest
import torch

from hplreid.models.losses import CMPCLoss, CMPMLoss, cmpc_loss, cmpm_loss


def length(x):
    return math.sqrt(sum(float(a) ** 2 for a in x))


def dot(x, y):
    return sum(float(a) * float(b) for a, b in zip(x, y, strict=True))


def cmpm_by_loops(image, text, labels, eps=1e-8):
    def one_direction(x, z):
        total = 0.0
        for i in range(len(x)):
            projections = [dot(x[i], z[j]) / length(z[j]) for j in range(len(z))]
            normalizer = sum(math.exp(p) for p in projections)
            matches = sum(bool(labels[i] == labels[j]) for j in range(len(z)))
            for j, projection in enumerate(projections):
                p = math.exp(projection) / normalizer
                q = float(labels[i] == labels[j]) / matches
                total += p * math.log(p / (q + eps))
        return total / len(x)

    return one_direction(image, text) + one_direction(text, image)


def cmpc_by_loops(image, text, labels, weight):
    def one_direction(x, z):
        total = 0.0
        for i in range(len(x)):
            unit = [float(a) / length(z[i]) for a in z[i]]
            along = dot(x[i], unit)
            projected = [along * a for a in unit]
            logits = [dot(projected, w) / length(w) for w in weight]
            total -= logits[labels[i]] - math.log(sum(map(math.exp, logits)))
        return total / len(x)

    return one_direction(image, text) + one_direction(text, image)


def pairs(size=5, channels=4):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, size, channels, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize('labels', [[0, 1, 2, 3, 4], [0, 1, 0, 2, 0], [3] * 5])
def test_cmpm_equals_the_formula(labels):
    image, text = pairs()
    labels = torch.tensor(labels)
    for eps in (1e-8, 1e-3):
        expected = cmpm_by_loops(image, text, labels, eps)
        assert cmpm_loss(image, text, labels, eps).item() == pytest.approx(
            expected, 1e-10
        )
        assert CMPMLoss(eps)(image, text, labels).item() == pytest.approx(
            expected, 1e-10
        )


def test_only_the_length_of_what_is_projected_on_does_not_matter():
    # One caption of one image: p = 1 whatever the lengths. Of two, with the text
    # scaled: the first direction stays, the second changes.
    image, text = pairs(3)
    labels = torch.arange(3)
    first = cmpm_loss(image, text, labels)
    assert cmpm_loss(image, 5 * text, labels) != first
    expected = cmpm_by_loops(image, 5 * text, labels)
    assert cmpm_loss(image, 5 * text, labels).item() == pytest.approx(expected, 1e-10)


def test_cmpc_equals_the_formula():
    image, text = pairs()
    weight = torch.randn(6, 4, dtype=torch.float64)
    labels = torch.tensor([5, 0, 2, 2, 1])
    expected = cmpc_by_loops(image, text, labels, weight)
    assert cmpc_loss(image, text, labels, weight).item() == pytest.approx(expected)
    assert CMPCLoss()(image, text, labels, 7 * weight).item() == pytest.approx(expected)


def test_gradients():
    image, text = (x.requires_grad_() for x in pairs(4, 3))
    weight = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 1, 4])
    check = torch.autograd.gradcheck
    assert check(lambda i, t: cmpm_loss(i, t, labels), (image, text))
    assert check(lambda i, t, w: cmpc_loss(i, t, labels, w), (image, text, weight))
