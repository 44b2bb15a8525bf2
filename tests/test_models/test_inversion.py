"""Shapes, scale and masking of the inversion networks."""

import pytest
import torch

from hplreid.registry import INVERSIONS

TYPES = {
    'QueryInversion': 4,
    'FirstTokensInversion': 4,
    'ClassTokenInversion': 1,
    'CrossAttentionInversion': 4,
    'MLPInversion': 2,
    'LinearInversion': 7,
}
SEQUENCE = [k for k in TYPES if k not in ('MLPInversion', 'LinearInversion')]


def _build(name, **kwargs):
    torch.manual_seed(0)
    defaults = dict(type=name, in_channels=32, out_channels=24, num_tokens=TYPES[name])
    return INVERSIONS.build({**defaults, **kwargs})


@pytest.mark.parametrize('name', TYPES)
def test_shape_and_gradients(name):
    network = _build(name)
    tokens = torch.randn(6, 10, 32, requires_grad=True)
    pseudo = network(tokens, tokens[:, 0])
    assert pseudo.shape == (6, TYPES[name], 24)
    pseudo.square().sum().backward()
    assert tokens.grad.abs().sum() > 0
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name


@pytest.mark.parametrize('name', TYPES)
def test_pseudo_tokens_start_as_long_as_words(name):
    network = _build(name, token_norm=0.4)
    tokens = torch.nn.functional.normalize(torch.randn(64, 10, 32), dim=-1)
    norms = network(tokens, tokens[:, 0]).norm(dim=-1)
    assert norms.mean().item() == pytest.approx(0.4, rel=0.25)


@pytest.mark.parametrize('name', SEQUENCE)
def test_padding_is_not_read(name):
    network = _build(name).double()
    tokens = torch.randn(3, 10, 32, dtype=torch.float64)
    padding = torch.arange(10) >= torch.tensor([[5], [7], [10]])
    other = torch.where(padding.unsqueeze(-1), torch.randn_like(tokens), tokens)
    a = network(tokens, tokens[:, 0], padding)
    b = network(other, tokens[:, 0], padding)
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    assert (
        network(tokens, tokens[:, 0]) - network(other, tokens[:, 0])
    ).abs().max() > 1e-6


def test_published_size():
    network = INVERSIONS.build(
        dict(type='QueryInversion', in_channels=512, out_channels=512, num_tokens=4)
    )
    blocks = sum(p.numel() for p in network.blocks.parameters())
    assert blocks == 12_609_536  # 4 blocks of 12 d^2 + 13 d
    assert blocks == 4 * (12 * 512**2 + 13 * 512)


@pytest.mark.parametrize(
    ('name', 'kwargs', 'message'),
    [
        ('QueryInversion', dict(num_tokens=0), 'num_tokens=0: expected at least 1'),
        ('ClassTokenInversion', dict(num_tokens=2), 'makes one pseudo-token'),
        ('MLPInversion', dict(activation='tanh'), "activation='tanh': expected one of"),
    ],
)
def test_refused(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        _build(name, **kwargs)


def test_sequence_too_short_for_first_tokens():
    with pytest.raises(ValueError, match='2 tokens has no first num_tokens=4'):
        _build('FirstTokensInversion')(torch.randn(1, 2, 32), torch.randn(1, 32))
