"""BNNeck against batch statistics written out."""

import pytest
import torch

from hplreid.registry import NECKS


def build(channels=5):
    return NECKS.build({'type': 'BNNeck', 'in_channels': channels}).double()


def test_normalizes_by_the_statistics_of_the_batch():
    torch.manual_seed(0)
    neck = build()
    weight = torch.rand(5, dtype=torch.float64) + 1
    neck.bn.weight.data.copy_(weight)
    x = 3 + 2 * torch.randn(9, 5, dtype=torch.float64)
    expected = weight * (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(neck(x), expected)


def test_uses_running_statistics_in_evaluation():
    torch.manual_seed(1)
    neck = build()
    x = 3 + 2 * torch.randn(9, 5, dtype=torch.float64)
    neck(x)
    mean, var = 0.1 * x.mean(0), 0.9 + 0.1 * x.var(0)
    y = torch.randn(1, 5, dtype=torch.float64)
    neck.eval()
    torch.testing.assert_close(neck(y), (y - mean) / (var + 1e-5).sqrt())


def test_the_shift_is_zero_and_cannot_be_unfrozen():
    neck = build()
    neck.requires_grad_(True)
    assert [name for name, _ in neck.named_parameters()] == ['bn.weight']
    assert neck.bn.bias.requires_grad is False
    assert torch.equal(neck.bn.bias, torch.zeros(5, dtype=torch.float64))
    assert torch.equal(neck.bn.weight, torch.ones(5, dtype=torch.float64))
    neck(torch.randn(4, 5, dtype=torch.float64)).square().sum().backward()
    assert neck.bn.bias.grad is None
    assert neck.bn.weight.grad is not None


def test_state_dict_has_the_names_of_a_batch_norm():
    names = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    assert sorted(build().state_dict()) == sorted(f'bn.{name}' for name in names)


def test_one_row_in_training_is_an_error():
    neck = build()
    with pytest.raises(ValueError, match=r'at least 2 rows .* \(1, 5\)'):
        neck(torch.zeros(1, 5, dtype=torch.float64))
    assert neck.eval()(torch.zeros(1, 5, dtype=torch.float64)).shape == (1, 5)


def test_bf16_features_are_fine():
    neck = build().float()
    assert neck(torch.randn(4, 5).bfloat16()).isfinite().all()


@pytest.mark.parametrize('channels', [0, -3, 2.5, '8', True])
def test_channels_must_be_a_count(channels):
    with pytest.raises(ValueError, match='in_channels='):
        build(channels)
