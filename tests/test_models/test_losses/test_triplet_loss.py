"""Batch-hard triplets against loops over all pairs."""

import math

import pytest
import torch

from hplreid.models.losses import TripletLoss, triplet_loss


def by_loops(features, labels, margin):
    rows, labels = features.tolist(), labels.tolist()

    def distance(i, j):
        squared = sum((a - b) ** 2 for a, b in zip(rows[i], rows[j], strict=True))
        return math.sqrt(max(squared, 1e-12))

    costs = []
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        positives = [distance(i, j) for j in others if labels[j] == labels[i]]
        negatives = [distance(i, j) for j in others if labels[j] != labels[i]]
        if positives and negatives:
            gap = max(positives) - min(negatives)
            soft = math.log(1 + math.exp(gap))
            costs.append(soft if margin is None else max(0, gap + margin))
    return sum(costs) / len(costs)


@pytest.mark.parametrize('margin', [0.3, 2.0, None])
@pytest.mark.parametrize(
    'labels',
    [
        [0, 0, 1, 1, 2, 2],  # P x K
        [0, 0, 0, 1, 1, 2],  # unequal counts, one identity with a single row
        [0, 1, 2, 3, 4, 4],  # one pair
        [5, 5, 5, 5, 5, 1],
    ],
)
def test_equals_the_loops(labels, margin):
    torch.manual_seed(0)
    features = torch.randn(6, 4, dtype=torch.float64)
    labels = torch.tensor(labels)
    expected = by_loops(features, labels, margin)
    assert triplet_loss(features, labels, margin).item() == pytest.approx(expected)
    assert TripletLoss(margin)(features, labels).item() == pytest.approx(expected)


def test_by_hand():
    # On a line: d_ap = 2 for both rows of identity 0; nearest others at 3 and 1.
    features = torch.tensor([[0.0], [2.0], [3.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1])
    # Row 2 has no positive. Hinges: max(0, 2 - 3 + .3) = 0 and 2 - 1 + .3 = 1.3.
    assert triplet_loss(features, labels, 0.3).item() == pytest.approx(1.3 / 2)


def test_distances_are_of_features_as_they_are():
    features = torch.tensor([[0.0], [2.0], [3.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1])
    # Twice as far: hinges max(0, 4 - 6 + .3) and 4 - 2 + .3.
    assert triplet_loss(2 * features, labels, 0.3).item() == pytest.approx(2.3 / 2)


@pytest.mark.parametrize('margin', [0.3, None])
@pytest.mark.parametrize('labels', [[0, 1, 2, 3], [7, 7, 7, 7], [0]])
def test_no_anchor_left_gives_a_zero_to_train_with(labels, margin):
    features = torch.randn(len(labels), 3, requires_grad=True)
    loss = triplet_loss(features, torch.tensor(labels), margin)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(features.grad, torch.zeros_like(features))


@pytest.mark.parametrize('margin', [0.3, None])
def test_coinciding_rows_have_a_finite_gradient(margin):
    features = torch.ones(4, 3, requires_grad=True)
    loss = triplet_loss(features, torch.tensor([0, 0, 1, 1]), margin)
    loss.backward()
    assert loss.item() == pytest.approx(0.3 if margin else math.log(2))
    assert features.grad.isfinite().all()


def test_rounding_in_float32_is_small_far_from_the_origin():
    torch.manual_seed(3)
    features = torch.randn(8, 5) + 1000
    labels = torch.arange(8) // 2
    expected = by_loops(features.double(), labels, 0.3)
    assert triplet_loss(features, labels).item() == pytest.approx(expected, 1e-6)


def test_left_out_rows_still_serve_as_negatives_and_get_their_gradient():
    features = torch.tensor([[0.0], [2.0], [3.0]], dtype=torch.float64)
    features.requires_grad_()
    triplet_loss(features, torch.tensor([0, 0, 1]), 0.3).backward()
    # Only anchor 1 pays, (|x1 - x0| - |x1 - x2| + .3) / 2.
    assert features.grad.flatten().tolist() == pytest.approx([-0.5, 1.0, -0.5])


@pytest.mark.parametrize('margin', [5.0, None])
def test_gradient(margin):
    torch.manual_seed(1)
    features = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda x: triplet_loss(x, labels, margin), features)
