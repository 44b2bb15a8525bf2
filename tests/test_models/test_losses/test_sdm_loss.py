"""SDM against the formula written out in loops."""

import math

import pytest
import torch

from hplreid.models.losses import SDMLoss, sdm_loss


def by_loops(image, text, labels, tau=0.02, eps=1e-8):
    def one_direction(x, c):
        total = 0.0
        for i in range(len(x)):
            cosines = [
                float(x[i] @ c[k]) / math.sqrt(float(x[i] @ x[i]) * float(c[k] @ c[k]))
                for k in range(len(c))
            ]
            normalizer = sum(math.exp(s / tau) for s in cosines)
            matches = sum(bool(labels[i] == labels[k]) for k in range(len(c)))
            for j in range(len(c)):
                a = math.exp(cosines[j] / tau) / normalizer
                q = float(labels[i] == labels[j]) / matches
                if a > 0:
                    total += a * (math.log(a) - math.log(q + eps))
        return total / len(x)

    return one_direction(image, text) + one_direction(text, image)


@pytest.mark.parametrize('tau', [0.02, 0.5])
@pytest.mark.parametrize('labels', [[0, 1, 2, 3, 4], [0, 1, 0, 2, 0], [3] * 5])
def test_equals_the_formula(labels, tau):
    torch.manual_seed(0)
    image, text = torch.randn(2, 5, 7, dtype=torch.float64)
    labels = torch.tensor(labels)
    expected = by_loops(image, text, labels, tau)
    assert sdm_loss(image, text, labels, tau).item() == pytest.approx(expected, 1e-12)
    assert SDMLoss(tau)(image, text, labels).item() == pytest.approx(expected, 1e-12)


def test_a_mismatch_costs_the_logarithm_of_eps():
    # Each image is the caption of the other one: a = (0, 1) against q = (1, 0).
    eye = torch.eye(2, dtype=torch.float64)
    loss = sdm_loss(eye, eye.flip(0), torch.tensor([0, 1]), tau=0.01)
    assert loss.item() == pytest.approx(2 * -math.log(1e-8), 1e-9)


def test_eps_is_an_option():
    eye = torch.eye(2, dtype=torch.float64)
    loss = SDMLoss(tau=0.01, eps=1e-4)(eye, eye.flip(0), torch.tensor([0, 1]))
    assert loss.item() == pytest.approx(2 * -math.log(1e-4), 1e-9)


def test_perfect_match_costs_nothing():
    eye = torch.eye(4, dtype=torch.float64)
    assert abs(sdm_loss(eye, eye, torch.arange(4)).item()) < 1e-7


def test_the_length_of_features_does_not_matter():
    torch.manual_seed(1)
    image, text = torch.randn(2, 4, 6, dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 2])
    torch.testing.assert_close(
        sdm_loss(image * 9, text / 3, labels), sdm_loss(image, text, labels)
    )


def test_gradient():
    torch.manual_seed(2)
    image, text = torch.randn(2, 4, 3, dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 2])
    inputs = (image.requires_grad_(), text.requires_grad_())
    assert torch.autograd.gradcheck(lambda i, t: sdm_loss(i, t, labels, 0.3), inputs)
