"""Cross-entropy against the smoothed target written out."""

import math

import pytest
import torch

from hplreid.models.losses import CrossEntropyLoss, cross_entropy


@pytest.mark.parametrize('eps', [0.0, 0.1, 0.5])
@pytest.mark.parametrize('reduce', ['mean', 'sum'])
def test_equals_the_formula(eps, reduce):
    torch.manual_seed(0)
    logits = torch.randn(4, 6, dtype=torch.float64)
    labels = torch.tensor([5, 0, 3, 3])
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        normalizer = sum(math.exp(z) for z in row)
        for k, z in enumerate(row):
            target = (1 - eps) * (k == label) + eps / len(row)
            expected -= target * math.log(math.exp(z) / normalizer)
    expected /= len(labels) if reduce == 'mean' else 1
    assert cross_entropy(logits, labels, eps, reduce).item() == pytest.approx(expected)
    loss = CrossEntropyLoss(eps, reduce)(logits, labels)
    assert loss.item() == pytest.approx(expected)


def test_smoothing_defaults_to_none_at_all():
    logits = torch.tensor([[0.0, math.log(3.0)]], dtype=torch.float64)
    labels = torch.tensor([1])
    assert CrossEntropyLoss()(logits, labels).item() == pytest.approx(-math.log(0.75))


def test_a_label_beyond_the_classes_is_an_error():
    with pytest.raises((IndexError, RuntimeError), match='out of bounds'):
        cross_entropy(torch.zeros(1, 3), torch.tensor([3]))


def test_gradient():
    torch.manual_seed(1)
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 3, 3])
    assert torch.autograd.gradcheck(lambda x: cross_entropy(x, labels, 0.1), logits)
