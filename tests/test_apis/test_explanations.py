"""What is measured of explanations, by hand."""

import math

import pytest
import torch

from hplreid.apis.explanations.measured import lead, summarize
from hplreid.utils.user_error import UserError


def test_a_lead_is_over_other_identities():
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    targets = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    found = lead(features, targets, torch.tensor([5, 5, 8]))
    half = 1 / math.sqrt(2)
    # Cosines with the targets: (half, 0, 1), (half, 1, 0), (1, half, half)
    expected = [half - 1, 1 - 0, half - (1 + half) / 2]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_one_identity_alone_leads_over_nobody():
    with pytest.raises(UserError, match='one identity alone'):
        lead(torch.eye(2), torch.eye(2), torch.tensor([5, 5]))


def test_errors_are_those_of_the_mean():
    mean, error = summarize(torch.tensor([1.0, 2.0, 6.0]))
    assert (mean, error) == pytest.approx((3.0, math.sqrt(7 / 3)))
    assert summarize(torch.tensor([2.0])) == (2.0, 0.0)
