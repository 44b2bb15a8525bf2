"""Center loss and the movement of centers against loops."""

import pytest
import torch

from hplreid.models.losses import CenterLoss, center_loss, move_centers

LABELS = [3, 0, 3, 3, 1, 0]


@pytest.fixture
def batch():
    torch.manual_seed(0)
    features = torch.randn(6, 4, dtype=torch.float64)
    centers = torch.randn(5, 4, dtype=torch.float64)
    return features, torch.tensor(LABELS), centers


def test_loss_is_that_of_loops(batch):
    features, labels, centers = batch
    total = 0.0
    for x, label in zip(features.tolist(), LABELS, strict=True):
        c = centers[label].tolist()
        total += sum((a - b) ** 2 for a, b in zip(x, c, strict=True))
    assert center_loss(features, labels, centers).item() == pytest.approx(total / 6)


@pytest.mark.parametrize('alpha', [0.5, 1.0])
def test_centers_move_by_equation_4(batch, alpha):
    features, labels, centers = batch
    expected = centers.tolist()
    for identity in range(5):
        rows = [features[i].tolist() for i in range(6) if LABELS[i] == identity]
        for k in range(4):
            c = centers[identity, k].item()
            delta = sum(c - row[k] for row in rows) / (1 + len(rows))
            expected[identity][k] = c - alpha * delta
    moved = move_centers(features, labels, centers, alpha)
    torch.testing.assert_close(moved, torch.tensor(expected, dtype=torch.float64))
    assert torch.equal(moved[[2, 4]], centers[[2, 4]])  # who isn't in the batch


def test_by_hand():
    # One identity at 0 with rows at 2 and 4: the loss is (4 + 16) / 2; the center moves
    # by 0.5 * (2 + 4) / 3 = 1
    loss = CenterLoss(num_ids=2, in_channels=1)
    value = loss(torch.tensor([[2.0], [4.0]]), torch.tensor([1, 1]))
    assert value.item() == 10
    assert loss.centers.tolist() == [[0], [1]]


def test_centers_move_in_training_alone(batch):
    features, labels, _ = batch
    loss = CenterLoss(5, 4).double()
    loss.eval()(features, labels)
    assert not loss.centers.any()
    loss.train()(features, labels)
    expected = move_centers(features, labels, torch.zeros_like(loss.centers), 0.5)
    assert torch.equal(loss.centers, expected)


def test_gradient_is_of_the_centers_before_they_moved(batch):
    features, labels, centers = batch
    loss = CenterLoss(5, 4).double()
    loss.centers.copy_(centers)
    features.requires_grad_()
    loss(features, labels).backward()
    torch.testing.assert_close(features.grad, 2 * (features - centers[labels]) / 6)
    assert not list(loss.parameters())
    assert not loss.centers.requires_grad


def test_centers_come_to_their_identities(batch):
    features, labels, _ = batch
    loss = CenterLoss(5, 4).double()
    for _ in range(60):
        value = loss(features, labels)
    for identity in (0, 1, 3):
        mean = features[labels == identity].mean(0)
        torch.testing.assert_close(loss.centers[identity], mean)
    assert value < center_loss(features, labels, torch.zeros(5, 4))


def test_a_checkpoint_holds_the_centers(batch):
    features, labels, _ = batch
    unbroken, resumed = CenterLoss(5, 4).double(), CenterLoss(5, 4).double()
    unbroken(features, labels)
    resumed.load_state_dict(unbroken.state_dict())
    assert unbroken(features + 1, labels) == resumed(features + 1, labels)
    assert torch.equal(unbroken.centers, resumed.centers)


def test_bf16_moves_centers_in_float32(batch):
    features, labels, _ = batch
    features = features.bfloat16()
    loss = CenterLoss(5, 4)
    with torch.autocast('cpu', torch.bfloat16):
        value = loss(features, labels)
    assert value.dtype == loss.centers.dtype == torch.float32
    zeros = torch.zeros(5, 4)
    assert torch.equal(loss.centers, move_centers(features.float(), labels, zeros, 0.5))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_ids=0), 'num_ids=0:'),
        (dict(in_channels=2.0), r'in_channels=2\.0:'),
        (dict(alpha=0), 'alpha=0:'),
        (dict(alpha=1.5), 'alpha=1.5: expected a number of at most 1'),
    ],
)
def test_rejected_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        CenterLoss(**{'num_ids': 5, 'in_channels': 4, **options})
