"""CLIP's loss against loops."""

import math

import pytest
import torch

from hplreid.models.losses import InfoNCELoss, info_nce_loss


def by_loops(image, text, scale, target):
    image = [[x / math.hypot(*row) for x in row] for row in image.tolist()]
    text = [[x / math.hypot(*row) for x in row] for row in text.tolist()]
    total = 0.0
    for a, b in ((image, text), (text, image)):
        for i, row in enumerate(a):
            dots = [sum(x * y for x, y in zip(row, c, strict=True)) for c in b]
            e = [math.exp(scale * s) for s in dots]
            for j, x in enumerate(e):
                total -= target[i][j] * math.log(x / sum(e))
    return total / len(image) / 2


LABELS = torch.tensor([4, 4, 1, 4])
OWN_PAIR = [[float(i == j) for j in range(4)] for i in range(4)]
SHARED = [
    [1 / 3, 1 / 3, 0, 1 / 3],
    [1 / 3, 1 / 3, 0, 1 / 3],
    [0, 0, 1, 0],
    [1 / 3, 1 / 3, 0, 1 / 3],
]


@pytest.mark.parametrize(
    ('targets', 'target'), [('pairs', OWN_PAIR), ('labels', SHARED)]
)
@pytest.mark.parametrize('scale', [1.0, 14.3])
def test_equals_the_loops(targets, target, scale):
    torch.manual_seed(0)
    image, text = torch.randn(2, 4, 6, dtype=torch.float64)
    expected = by_loops(image, text, scale, target)
    labels = LABELS if targets == 'labels' else None
    loss = info_nce_loss(image, text, scale, labels)
    assert loss.item() == pytest.approx(expected)
    loss = InfoNCELoss(targets)(image, text, LABELS, torch.tensor(scale).double())
    assert loss.item() == pytest.approx(expected)


def test_the_scale_learns():
    torch.manual_seed(1)
    image, text = torch.randn(2, 4, 3, dtype=torch.float64)
    log_scale = torch.tensor(0.5, dtype=torch.float64)
    inputs = (image.requires_grad_(), text.requires_grad_(), log_scale.requires_grad_())
    assert torch.autograd.gradcheck(
        lambda i, t, s: info_nce_loss(i, t, s.exp(), LABELS), inputs
    )
