"""What the project adds, by hand; its config is tested with all others."""

import pytest
import torch

from projects.part_prompts.part_prompts import PartInversion, token_diversity


def test_a_pseudo_token_is_the_mean_of_its_stripe():
    inversion = PartInversion(3, 5, num_tokens=2, num_class_tokens=1).double()
    tokens = torch.randn(2, 1 + 4 * 2, 3, dtype=torch.float64)  # 4 rows of 2 patches
    pseudo = inversion(tokens, tokens[:, 0])
    assert pseudo.shape == (2, 2, 5)
    for item in range(2):
        for stripe, first in enumerate((1, 5)):
            mean = sum(tokens[item, first + i] for i in range(4)) / 4
            torch.testing.assert_close(pseudo[item, stripe], inversion.project(mean))


def test_stripes_must_be_equal():
    inversion = PartInversion(3, 5, num_tokens=3, num_class_tokens=1)
    with pytest.raises(ValueError, match='8 patches make no 3 equal stripes'):
        inversion(torch.zeros(1, 9, 3), torch.zeros(1, 3))


def test_diversity_by_hand():
    # cosines 1 (first two), 0 and 0 in one item; all at right angles in the other
    same = [[2.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 3.0, 0.0]]
    apart = [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 5.0]]
    assert token_diversity(torch.tensor([same])).item() == pytest.approx(1 / 3)
    assert token_diversity(torch.tensor([apart])).item() == 0
    both = token_diversity(torch.tensor([same, apart])).item()
    assert both == pytest.approx(1 / 6)
