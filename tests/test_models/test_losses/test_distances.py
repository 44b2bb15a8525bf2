"""Squared distances of pairs (HPL's Eq. 6, 10) and of pseudo-tokens (Eq. 12)."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from hplreid.models.losses import (
    CMPRLoss,
    PairedDistanceLoss,
    cmpr_loss,
    paired_distance,
)


def test_raw_distance_by_hand():
    a = torch.tensor([[1.0, 2.0], [0.0, 0.0]], dtype=torch.float64)
    b = torch.tensor([[4.0, 6.0], [0.0, 3.0]], dtype=torch.float64)
    assert paired_distance(a, b).item() == (25 + 9) / 2
    assert PairedDistanceLoss('raw')(a, b).item() == (25 + 9) / 2


def test_normalized_distance_is_2_minus_2_cos():
    torch.manual_seed(0)
    a, b = torch.randn(2, 6, 5, dtype=torch.float64) * 40
    expected = (2 - 2 * cosine_similarity(a, b)).mean()
    torch.testing.assert_close(paired_distance(a, b, 'l2norm'), expected)
    torch.testing.assert_close(PairedDistanceLoss('l2norm')(a, b), expected)


def test_opposite_vectors_are_4_apart():
    a = torch.tensor([[3.0, 4.0]])
    assert paired_distance(a, -2 * a, 'l2norm').item() == pytest.approx(4)


@pytest.mark.parametrize('kind', ['raw', 'l2norm'])
def test_gradient_of_paired_distance(kind):
    torch.manual_seed(1)
    a, b = torch.randn(2, 3, 4, dtype=torch.float64)
    inputs = (a.requires_grad_(), b.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, y: paired_distance(x, y, kind), inputs)


@pytest.mark.parametrize('reduce', ['sum', 'mean'])
def test_cmpr_by_loops(reduce):
    torch.manual_seed(2)
    text, image = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    pairs = []
    for i in range(3):
        entries = [
            float(text[i, m, d] - image[i, m, d]) ** 2
            for m in range(4)
            for d in range(5)
        ]
        pairs.append(sum(entries) / (len(entries) if reduce == 'mean' else 1))
    assert cmpr_loss(text, image, reduce).item() == pytest.approx(sum(pairs) / 3)
    assert CMPRLoss(reduce)(text, image).item() == pytest.approx(sum(pairs) / 3)


@pytest.mark.parametrize('reduce', ['sum', 'mean'])
def test_cmpr_is_symmetric_and_zero_only_where_equal(reduce):
    torch.manual_seed(3)
    text, image = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    assert cmpr_loss(text, image, reduce) == cmpr_loss(image, text, reduce)
    assert cmpr_loss(text, text.clone(), reduce) == 0
    for index in range(text.numel()):  # no entry is overlooked
        other = text.clone()
        other.view(-1)[index] += 1e-3
        assert cmpr_loss(text, other, reduce) > 0


def test_gradient_of_cmpr():
    torch.manual_seed(4)
    text, image = torch.randn(2, 2, 3, 2, dtype=torch.float64)
    inputs = (text.requires_grad_(), image.requires_grad_())
    assert torch.autograd.gradcheck(cmpr_loss, inputs)


def test_shapes_must_agree_instead_of_broadcasting():
    with pytest.raises(ValueError, match=r"'a': \(3, 4\), 'b': \(1, 4\)"):
        paired_distance(torch.zeros(3, 4), torch.zeros(1, 4))
    with pytest.raises(ValueError, match=r"'pseudo_image': \(2, 1, 5\)"):
        cmpr_loss(torch.zeros(2, 4, 5), torch.zeros(2, 1, 5))
    with pytest.raises(ValueError, match='3-dimensional'):
        cmpr_loss(torch.zeros(2, 5), torch.zeros(2, 5))
