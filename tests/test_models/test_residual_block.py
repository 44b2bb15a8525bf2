"""Blocks as we run them against their own forward, in float64, with all gradients."""

import copy

import pytest
import torch
from open_clip.transformer import LayerNorm, QuickGELU, ResidualAttentionBlock
from timm.models.vision_transformer import Block
from torch import nn

from hplreid.models.layers.quick_mlp import run_mlp
from hplreid.models.layers.residual_block import (
    run_clip_block,
    run_encoder_layer,
    run_timm_block,
)

B, L, D, HEADS = 3, 7, 12, 2


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def clip_block(act=QuickGELU, **options):
    block = ResidualAttentionBlock(D, HEADS, act_layer=act, **options).double()
    with torch.no_grad():  # biases start at zero, where a wrong one would not show
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return block


def assert_same(module, ours, expected, atol=1e-10):
    """Compare outputs, and gradients of the input and of every parameter.

    Args:
        module: Whose parameters both use; each side gets a copy.
        ours: Function of a module and tokens.
        expected: Another.
        atol: Largest difference.
    """
    tokens = torch.randn(B, L, D, dtype=torch.float64)
    sides = []
    for function in (ours, expected):
        own, x = copy.deepcopy(module), tokens.clone().requires_grad_()
        out = function(own, x)
        weights = torch.randn(
            out.shape, dtype=torch.float64, generator=torch.manual_seed(1)
        )
        (out * weights).sum().backward()
        gradients = {n: p.grad for n, p in own.named_parameters()}
        sides.append({'out': out, 'x': x.grad, **gradients})
    for name, value in sides[1].items():
        assert value is not None, name
        torch.testing.assert_close(
            sides[0][name], value, rtol=0, atol=atol, msg=lambda m, n=name: f'{n}: {m}'
        )


def additive(mask):
    """A boolean mask as open_clip takes it."""
    return torch.zeros(mask.shape, dtype=torch.float64).masked_fill(~mask, -torch.inf)


@pytest.mark.parametrize('act', [QuickGELU, nn.GELU])
@pytest.mark.parametrize('scale', [None, 0.1])
def test_clip_block_is_open_clips(act, scale):
    assert_same(clip_block(act, ls_init_value=scale), run_clip_block, lambda b, x: b(x))


def test_causal_is_the_triangular_mask():
    mask = additive(torch.ones(L, L, dtype=torch.bool).tril())
    assert_same(
        clip_block(),
        lambda b, x: run_clip_block(b, x, causal=True),
        lambda b, x: b(x, attn_mask=mask),
    )


def test_mask_is_the_additive_one():
    mask = torch.rand(L, L) < 0.6
    mask.fill_diagonal_(True)
    assert_same(
        clip_block(),
        lambda b, x: run_clip_block(b, x, mask=mask),
        lambda b, x: b(x, attn_mask=additive(mask)),
    )


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.parametrize('masked', [False, True])
def test_first_tokens_alone_are_those_of_the_whole_block(count, masked):
    mask = torch.rand(L, L) < 0.6
    mask.fill_diagonal_(True)
    mask = mask if masked else None
    assert_same(
        clip_block(),
        lambda b, x: run_clip_block(
            b, x, x[:, :count], None if mask is None else mask[:count]
        ),
        lambda b, x: b(x, attn_mask=None if mask is None else additive(mask))[
            :, :count
        ],
    )


def test_one_token_of_each_sequence_under_the_causal_mask():
    rows, places = torch.arange(B), torch.tensor([2, 6, 0])
    seen = (torch.arange(L) <= places[:, None])[:, None, None]
    mask = additive(torch.ones(L, L, dtype=torch.bool).tril())
    assert_same(
        clip_block(),
        lambda b, x: run_clip_block(b, x, x[rows, places][:, None], seen)[:, 0],
        lambda b, x: b(x, attn_mask=mask)[rows, places],
    )


def test_another_block_is_refused():
    with pytest.raises(TypeError, match='Linear is no plain block of CLIP'):
        run_clip_block(nn.Linear(2, 2), torch.zeros(1, 1, 2))


def test_quick_gelu_equals_the_formula():
    mlp = clip_block().mlp
    x = torch.randn(5, D, dtype=torch.float64)
    wide = x @ mlp.c_fc.weight.T + mlp.c_fc.bias
    wide = wide / (1 + torch.exp(-1.702 * wide))
    expected = wide @ mlp.c_proj.weight.T + mlp.c_proj.bias
    torch.testing.assert_close(run_mlp(mlp, x), expected, rtol=0, atol=1e-12)


def test_an_adapter_in_the_network_is_not_bypassed():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    mlp = clip_block().mlp
    mlp.c_fc = Doubled(D, 4 * D).double()
    x = torch.randn(5, D, dtype=torch.float64)
    assert torch.equal(run_mlp(mlp, x), mlp(x))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_rounds_no_more_than_the_block_itself(dtype):
    block = clip_block().float()
    x = torch.randn(B, L, D)
    exact = block.double()(x.double())
    block.float()
    with torch.autocast('cpu', dtype):
        ours, theirs = run_clip_block(block, x), block(x)
    assert ours.dtype == theirs.dtype == torch.float32  # the residual stream

    def error(out):
        return (out - exact).square().mean().sqrt()

    assert error(ours) < 1.5 * error(theirs)


@pytest.mark.parametrize('count', [None, 1, 3])
@pytest.mark.parametrize('padded', [False, True])
def test_encoder_layer_is_torchs(count, padded):
    layer = nn.TransformerEncoderLayer(
        D, HEADS, 4 * D, 0.0, nn.functional.gelu, batch_first=True, norm_first=True
    ).double()
    for parameter in layer.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    padding = None
    if padded:
        padding = torch.arange(L) > torch.tensor([[3], [6], [4]])
    assert_same(
        layer,
        lambda m, x: run_encoder_layer(m, x, count, padding),
        lambda m, x: m(x, src_key_padding_mask=padding)[:, :count],
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(qkv_bias=True),
        dict(qkv_bias=False, init_values=0.1),
        dict(qk_norm=True),
        dict(drop_path=0.5),
    ],
)
def test_first_tokens_of_a_timm_block(options):
    block = Block(D, HEADS, **options, norm_layer=LayerNorm).double().train()

    def run(function, *args):
        torch.manual_seed(2)  # dropped paths draw the same random numbers
        return function(*args)

    assert_same(
        block,
        lambda b, x: run(run_timm_block, b, x, 1),
        lambda b, x: run(b, x)[:, :1],
    )


def test_dropout_in_a_timm_block_is_not_lost():
    block = Block(D, HEADS, proj_drop=0.5).train()
    x = torch.randn(B, L, D)
    torch.manual_seed(0)
    ours = run_timm_block(block, x, 2)
    torch.manual_seed(0)
    assert torch.equal(ours, block(x)[:, :2])
