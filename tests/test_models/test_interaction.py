"""The interaction of prompt and image: attention and blocks written out."""

import math

import pytest
import torch
from torch import nn

from hplreid.models.necks.interaction import VARIANTS
from hplreid.registry import NECKS

WIDTH, HEADS = 8, 2


def build(channels=WIDTH, seed=0, **options):
    torch.manual_seed(seed)
    config = dict(type='InteractionNeck', in_channels=channels, width=WIDTH)
    neck = NECKS.build({**config, 'num_heads': HEADS, **options}).double()
    for parameter in neck.parameters():  # no zero bias, no norm that is the identity
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return neck


def make_inputs(batch=3, patches=4, channels=WIDTH):
    torch.manual_seed(7)
    return (
        torch.randn(batch, channels, dtype=torch.float64),
        torch.randn(batch, 1 + patches, channels, dtype=torch.float64),
    )


def softmax(scores):
    exps = [math.exp(s) for s in scores]
    return [e / sum(exps) for e in exps]


def attend(queries, keys, attention):
    """Multi-head attention of one image: rows ``(L, C)``, one head at a time."""
    weights = attention.in_proj_weight.chunk(3)
    biases = attention.in_proj_bias.chunk(3)
    q = queries @ weights[0].T + biases[0]
    k = keys @ weights[1].T + biases[1]
    v = keys @ weights[2].T + biases[2]
    size = q.shape[1] // attention.num_heads
    rows = []
    for query in q:
        joined = []
        for head in range(attention.num_heads):
            part = slice(head * size, (head + 1) * size)
            scores = [float(query[part] @ key[part]) / math.sqrt(size) for key in k]
            shares = softmax(scores)
            joined.append(
                sum(a * value[part] for a, value in zip(shares, v, strict=True))
            )
        rows.append(torch.cat(joined))
    out = attention.out_proj
    return torch.stack(rows) @ out.weight.T + out.bias


def norm(x, layer):
    mean = x.mean(1, keepdim=True)
    variance = (x - mean).square().mean(1, keepdim=True)
    return (x - mean) / (variance + layer.eps).sqrt() * layer.weight + layer.bias


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def run_block(x, block):
    """A pre-norm transformer block of one image."""
    first = norm(x, block.norm1)
    x = x + attend(first, first, block.self_attn)
    hidden = gelu(norm(x, block.norm2) @ block.linear1.weight.T + block.linear1.bias)
    return x + hidden @ block.linear2.weight.T + block.linear2.bias


def start_of(neck, prompt, tokens):
    """What the blocks run over, of one image: the definition of each variant."""
    if neck.variant == 'attend':
        return torch.cat([attend(prompt[None], tokens, neck.attention), tokens])
    if neck.variant == 'attend_single':
        return attend(prompt[None], tokens, neck.attention)
    if neck.variant == 'vis_query':
        said = neck.value.weight @ prompt + neck.value.bias
        return torch.stack([token + said for token in tokens])
    query = neck.query.weight @ prompt + neck.query.bias
    scores = [
        float(query @ (neck.key.weight @ patch)) / math.sqrt(WIDTH)
        for patch in tokens[1:]
    ]
    weights = softmax(scores)
    patches = [
        len(weights) * w * patch for w, patch in zip(weights, tokens[1:], strict=True)
    ]
    return torch.stack([tokens[0], *patches])


@pytest.mark.parametrize(
    ('variant', 'num_blocks'),
    [(v, n) for v in VARIANTS for n in (0, 1, 2) if v != 'reweight' or n == 2],
)
def test_equals_the_equations(variant, num_blocks):
    neck = build(variant=variant, num_blocks=num_blocks)
    prompts, tokens = make_inputs()
    with torch.no_grad():
        found = neck.train()(prompts, tokens)
        for row in range(len(prompts)):
            x = start_of(neck, prompts[row], tokens[row])
            for block in neck.blocks:
                x = run_block(x, block)
            torch.testing.assert_close(found[row], x[0], rtol=1e-9, atol=1e-9)
        # Without gradients PyTorch takes another path through the blocks
        torch.testing.assert_close(neck.eval()(prompts, tokens), found)


@pytest.mark.parametrize('variant', VARIANTS)
def test_other_widths_are_projected_by_one_map(variant):
    neck = build(channels=5, variant=variant)
    prompts, tokens = make_inputs(channels=5)
    same = build(variant=variant)
    parts = {k: v for k, v in neck.state_dict().items() if not k.startswith('input')}
    same.load_state_dict(parts)
    weight, bias = neck.input.weight, neck.input.bias
    expected = same(prompts @ weight.T + bias, tokens @ weight.T + bias)
    torch.testing.assert_close(neck(prompts, tokens), expected)
    assert neck.out_channels == expected.shape[1] == WIDTH


@pytest.mark.parametrize('variant', VARIANTS)
def test_one_prompt_for_all(variant):
    neck = build(variant=variant)
    prompts, tokens = make_inputs()
    expected = neck(prompts[:1].repeat(3, 1), tokens)
    torch.testing.assert_close(neck(prompts[0], tokens), expected)
    torch.testing.assert_close(neck(prompts[:1], tokens), expected)


@pytest.mark.parametrize('variant', VARIANTS)
def test_gradient_reaches_everything_and_the_prompt_matters(variant):
    neck = build(channels=5, variant=variant)
    prompts, tokens = (x.requires_grad_() for x in make_inputs(channels=5))
    neck(prompts, tokens).square().sum().backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-9, name
    assert (prompts.grad.abs().amax(1) > 1e-6).all()
    assert (tokens.grad.abs().amax((1, 2)) > 1e-6).all()


@pytest.mark.parametrize('variant', VARIANTS)
def test_order_of_the_patches_does_not_matter(variant):
    neck = build(variant=variant)
    prompts, tokens = make_inputs()
    other = torch.cat([tokens[:, :1], tokens[:, 1:].flip(1)], dim=1)
    torch.testing.assert_close(neck(prompts, tokens), neck(prompts, other))


def test_weights_are_one_on_average():
    neck = build(variant='reweight')
    _, tokens = make_inputs()
    neck.key.weight.data.zero_()  # every patch is as good as the others
    prompts = torch.zeros(3, WIDTH, dtype=torch.float64)
    x = tokens
    for block in neck.blocks:
        x = block(x)
    torch.testing.assert_close(neck(prompts, tokens), x[:, 0])


def test_one_block_hardly_sees_the_weights():
    """Why 'reweight' is refused with fewer than two."""
    neck = build(variant='reweight')
    prompts, tokens = make_inputs()
    block = neck.blocks[0]
    neck.query.weight.data.mul_(0.2)  # no patch of no weight
    first = block(neck._meet(prompts[:, None], 9 * tokens))
    other = block(neck._meet(-prompts[:, None], 9 * tokens))
    changed = (first - other).abs().detach()
    assert changed[:, 0].max() < 1e-4 * changed[:, 1:].max()


def test_attention_to_one_key_is_a_linear_map():
    """Why 'vis_query' has no queries: it is this attention, whatever they are."""
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).double()
    prompts, tokens = make_inputs()
    key = prompts[:, None]
    found, _ = attention(tokens, key, key)
    value = attention.in_proj_weight[-WIDTH:] @ prompts.T
    linear = (attention.out_proj.weight @ value).T + attention.out_proj.bias
    torch.testing.assert_close(found, linear[:, None].expand_as(found))


def test_published_size():
    neck = NECKS.build(dict(type='InteractionNeck', in_channels=512))
    attention = sum(p.numel() for p in neck.attention.parameters())
    blocks = sum(p.numel() for p in neck.blocks.parameters())
    assert attention == 4 * (512**2 + 512)  # 1.05 M
    assert blocks == 2 * (12 * 512**2 + 13 * 512)  # 6.30 M
    assert attention + blocks == sum(p.numel() for p in neck.parameters())


@pytest.mark.parametrize('variant', VARIANTS)
def test_bf16_under_autocast_is_finite(variant):
    neck = build(channels=5, variant=variant).float()
    prompts, tokens = make_inputs(channels=5)
    with torch.autocast('cpu', torch.bfloat16):
        # The constant prompt comes as a buffer, in full precision
        found = neck(prompts[0].float(), tokens.bfloat16())
    assert found.isfinite().all()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(variant='both'), "variant='both': expected one of"),
        (dict(channels=None), 'in_channels=None:'),
        (dict(width=0), 'width=0:'),
        (dict(num_heads=0), 'num_heads=0:'),
        (dict(num_heads=3), 'width=8 is no multiple of num_heads=3'),
        (dict(num_blocks=-1), "num_blocks=-1: 'attend' needs at least 0"),
        (dict(num_blocks=1.0), r'num_blocks=1\.0:'),
        (dict(variant='reweight', num_blocks=1), 'needs at least 2'),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
