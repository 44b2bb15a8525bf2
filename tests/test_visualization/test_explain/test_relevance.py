"""Maps of relevance, against loops over heads and tokens in float64."""

import pytest
import torch
import torch.nn.functional as F

from hplreid.models.backbones import shift_and_shuffle
from hplreid.visualization.explain import (
    ExplainError,
    explain_caption,
    explain_directions,
    explain_feature,
    explain_pair,
)
from hplreid.visualization.explain.propagation import (
    Mixing,
    carry_back,
    carry_back_normalized,
    grad_cam,
    normalize_map,
    step_back,
)

from .explain_models import (
    build,
    build_dual,
    build_prompted,
    build_tiny,
    make_inputs,
    slow_relevance,
    slow_tower,
    stir,
)

EXACT = dict(rtol=0, atol=1e-10)


def to_map(row, classes, grid=(4, 2)):
    patches = row[classes:]
    return (patches / patches.sum()).reshape(grid)


def slow_image(model, image):
    """Features of all tokens of an image, and the attention of both blocks."""
    tower = model.image_encoder
    x = tower.embed(image[None], None)[0].detach()
    x, kept = slow_tower(tower.visual.transformer.resblocks, x)
    return tower.project(x[None])[1][0], kept


@pytest.mark.parametrize(('token', 'place'), [('v', 0), ('u', 1)])
def test_relevance_of_a_class_token_is_that_of_loops(token, place):
    model, inputs = build_dual(), make_inputs()
    found = explain_feature(model, inputs, (token,))
    for image, one, score in zip(
        inputs['images'], found.maps, found.scores, strict=True
    ):
        tokens, kept = slow_image(model, image)
        feature = tokens[place]
        length = feature.norm()
        row = slow_relevance(kept, feature @ (feature / length).detach())[place]
        torch.testing.assert_close(one, to_map(row, 2), **EXACT)
        torch.testing.assert_close(score, length.detach(), **EXACT)


def test_relevance_of_a_pair_is_that_of_loops():
    model = build_dual()
    first, second = make_inputs(seed=4), make_inputs(seed=5)
    one, other = explain_pair(model, first, second, ('u',))
    assert (one.scores == other.scores).all()
    for i in range(2):
        (a, kept_a), (b, kept_b) = (
            slow_image(model, side['images'][i]) for side in (first, second)
        )
        score = F.cosine_similarity(a[1], b[1], dim=0)
        torch.testing.assert_close(one.scores[i], score.detach(), **EXACT)
        row = slow_relevance(kept_a, score)[1]
        torch.testing.assert_close(one.maps[i], to_map(row, 2), **EXACT)
        row = slow_relevance(kept_b, score)[1]
        torch.testing.assert_close(other.maps[i], to_map(row, 2), **EXACT)


def slow_text(model, caption):
    tower = model.text_encoder
    x = (
        tower.text.token_embedding(caption)
        + tower.text.positional_embedding[: len(caption)]
    )
    x, kept = slow_tower(
        tower.text.transformer.resblocks, x.detach(), lambda i, j: j <= i
    )
    return tower.project(x[None])[1][0], kept


def test_relevance_of_a_caption_is_that_of_loops():
    model, inputs = build_dual(), make_inputs()
    captions = torch.tensor(
        [[49406, 5, 9, 320, 49407, 0], [49406, 7, 2, 11, 300, 49407]]
    )
    found = explain_caption(model, inputs, captions)
    for i, end in enumerate((4, 5)):
        tokens, kept_image = slow_image(model, inputs['images'][i])
        words, kept_text = slow_text(model, captions[i])
        score = F.cosine_similarity(tokens[0], words[end], dim=0)
        torch.testing.assert_close(found.scores[i], score.detach(), **EXACT)
        row = slow_relevance(kept_image, score)[0]
        torch.testing.assert_close(found.maps[i], to_map(row, 2), **EXACT)
        row = slow_relevance(kept_text, score)[end]
        words_only = torch.zeros(6, dtype=torch.float64)
        words_only[1:end] = row[1:end]
        expected = words_only / words_only.sum()
        torch.testing.assert_close(found.tokens[i], expected, **EXACT)
        assert found.tokens[i, 0] == found.tokens[i, end] == 0


def test_relevance_of_a_direction_is_that_of_loops():
    model, inputs = build_dual(), make_inputs()
    directions = torch.randn(2, 16, dtype=torch.float64)
    found = explain_directions(model, inputs, directions)
    for i in range(2):
        tokens, kept = slow_image(model, inputs['images'][i])
        row = slow_relevance(kept, F.normalize(tokens[0], dim=0) @ directions[i])[0]
        torch.testing.assert_close(found.maps[i], to_map(row, 2), **EXACT)


def test_rollout_is_the_product_of_matrices():
    model, inputs = build_dual(), make_inputs(1)
    _, kept = slow_image(model, inputs['images'][0])
    eye = torch.eye(10, dtype=torch.float64)
    first, last = ((probs.detach().mean(0) + eye) / 2 for probs in kept)
    found = explain_feature(model, inputs, ('u',), 'rollout').maps[0]
    torch.testing.assert_close(found, to_map((last @ first)[1], 2), **EXACT)
    found = explain_feature(model, inputs, ('u',), 'attention').maps[0]
    torch.testing.assert_close(found, to_map(kept[1].detach().mean(0)[1], 2), **EXACT)


def test_a_state_before_the_last_block_is_of_the_blocks_before_it():
    model, inputs = build_dual(), make_inputs(1)
    tower = model.image_encoder
    x = tower.embed(inputs['images'], None)[0].detach()
    x, kept = slow_tower(tower.visual.transformer.resblocks[:1], x)
    row = slow_relevance(kept, x[1] @ (x[1] / x[1].norm()).detach())[1]
    found = explain_feature(model, inputs, ('u_penultimate',)).maps[0]
    torch.testing.assert_close(found, to_map(row, 2), **EXACT)
    found = explain_feature(model, inputs, ('u_penultimate',), 'attention').maps[0]
    expected = to_map(kept[0].detach().mean(0)[1], 2)
    torch.testing.assert_close(found, expected, **EXACT)


def test_nobody_reads_u_where_it_is_isolated():
    model = build_dual(isolate='always')
    found = explain_feature(model, make_inputs(), ('v',))
    assert torch.isfinite(found.maps).all()
    plain = build_dual('CLIPImageEncoder')
    weights = {k: v for k, v in model.state_dict().items() if k in plain.state_dict()}
    plain.load_state_dict(weights)
    of_one = explain_feature(plain, make_inputs(), ('v',))
    torch.testing.assert_close(found.maps, of_one.maps, **EXACT)


def test_carrying_rows_back_is_the_product_of_whole_matrices():
    mixings = [Mixing(torch.rand(3, 5, 5).double(), keep) for keep in (1.0, 0.5, 1.0)]
    row = torch.rand(3, 5).double()
    whole = torch.eye(5).double().expand(3, 5, 5)
    for mixing in mixings:
        whole = mixing.keep * whole + mixing.taken @ whole
    expected = torch.einsum('bq,bql->bl', row, whole)
    torch.testing.assert_close(carry_back(row, mixings), expected, **EXACT)


def test_normalized_rows_are_those_of_equations_8_and_9():
    mixings = [Mixing(0.01 * torch.rand(2, 4, 4).double()) for _ in range(3)]
    mixings[0].taken[1] = mixings[1].taken[1] = mixings[2].taken[1] = 0  # took nothing
    row = torch.rand(2, 4).double()
    for image in range(2):
        whole = eye = torch.eye(4).double()
        for mixing in mixings:
            whole = whole + mixing.taken[image] @ whole
        rest, sums = whole - eye, (whole - eye).sum(dim=1, keepdim=True)
        normalized = eye + (rest / sums if image == 0 else 0)
        found = carry_back_normalized(row, mixings)[image]
        torch.testing.assert_close(found, row[image] @ normalized, **EXACT)


def test_a_token_elsewhere_continues_itself():
    mixing = Mixing(torch.zeros(2, 1, 4))
    row = step_back(torch.ones(2, 1), mixing, torch.tensor([[3], [1]]))
    assert row.tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]


def attend(heads, query, context):
    """What a module of PyTorch's reads, and where it looks, whole matrices."""
    weights, biases = heads.in_proj_weight.chunk(3), heads.in_proj_bias.chunk(3)
    q, k, v = (
        (x @ w.T + b).unflatten(-1, (heads.num_heads, -1)).transpose(1, 2)
        for x, w, b in zip((query, context, context), weights, biases, strict=True)
    )
    probs = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)
    return heads.out_proj((probs @ v).transpose(1, 2).flatten(2)), probs


@pytest.mark.parametrize('blocks', [0, 1, 2])
@pytest.mark.parametrize('variant', ['attend', 'attend_single', 'vis_query'])
def test_relevance_of_an_interaction_is_of_whole_matrices(variant, blocks):
    model, inputs = build_prompted(variant, blocks), make_inputs(1)
    neck = model.necks['interaction']
    tower = model.image_encoder
    x = tower.embed(inputs['images'], None)[0].detach()
    x, kept = slow_tower(tower.visual.transformer.resblocks, x)
    tokens = tower.project(x[None])[1]
    pseudo = model.inversion(None, tokens[:, 0])
    prompt = model.prompt_encoder(*model.prompt_learner.instance_prompts(pseudo))
    met = None
    if variant == 'vis_query':
        y = tokens + neck.value(prompt[:, None])
    else:
        attended, met = attend(neck.attention, prompt[:, None], tokens)
        y = torch.cat([attended, tokens], 1) if variant == 'attend' else attended
    inner = []
    for block in neck.blocks:
        normed = block.norm1(y)
        read, probs = attend(block.self_attn, normed, normed)
        inner.append(probs)
        y = y + read
        y = y + block.linear2(block.activation(block.linear1(block.norm2(y))))
    feature = y[0, 0]
    score = feature @ (feature / feature.norm()).detach()
    records = [*kept, *([met] if met is not None else []), *inner]
    gradients = torch.autograd.grad(score, records)
    means = [
        (p.detach().flatten(0, -3) * g.flatten(0, -3)).clamp(min=0).mean(0)
        for p, g in zip(records, gradients, strict=True)
    ]
    through = torch.eye(9).double()
    for mean in means[:2]:
        through = through + mean @ through
    own = torch.eye(y.shape[1]).double()
    for mean in means[len(records) - len(inner) :]:
        own = own + mean @ own
    if variant == 'vis_query':
        row = own[0] @ through
    else:
        at_tokens = own[0, 0] * means[2][0]
        if variant == 'attend':
            at_tokens = at_tokens + own[0, 1:]
        rest = through - torch.eye(9).double()
        normalized = torch.eye(9).double() + rest / rest.sum(1, keepdim=True)
        row = at_tokens @ normalized
    found = explain_feature(model, inputs, ('interaction',))
    torch.testing.assert_close(found.scores[0], feature.norm().detach(), **EXACT)
    torch.testing.assert_close(found.maps[0], to_map(row, 1), **EXACT)


def test_maps_of_promptsg_are_of_its_cross_attention():
    model, inputs = build_prompted('attend'), make_inputs(1)
    seen = []
    neck = model.necks['interaction']
    inner = neck.attention.forward

    def look(query, key, value, **_):
        out, probs = inner(query, key, value, average_attn_weights=False)
        seen.append(probs.detach().mean(1)[0, 0])
        return out, probs

    neck.attention.forward = look
    with torch.no_grad():
        model.image_features(inputs, ('interaction',))
    del neck.attention.forward
    found = explain_feature(model, inputs, ('interaction',), 'attention').maps[0]
    torch.testing.assert_close(found, to_map(seen[0], 1), **EXACT)


def test_a_reweighted_interaction_is_explained():
    model, inputs = build_prompted('reweight'), make_inputs()
    for kind in ('gradient', 'rollout', 'attention'):
        maps = explain_feature(model, inputs, ('interaction',), kind).maps
        sums = maps.sum(dim=(1, 2))
        torch.testing.assert_close(sums, torch.ones_like(sums), **EXACT)
        assert maps.std() > 0


def build_transreid(**options):
    tower = dict(
        type='TransReIDEncoder',
        arch='vit_tiny_patch16_224',
        img_size=(64, 48),
        num_cameras=2,
        arch_options=dict(depth=2, embed_dim=24, num_heads=2),
        **options,
    )
    return stir(build(dict(type='ImageReID', image_encoder=tower)))


@pytest.mark.parametrize('features', [('v_parts',), ('part_2',), ('v', 'part_4')])
def test_parts_of_transreid_lead_back_to_their_patches(features):
    model, inputs = build_transreid(), make_inputs(1, (64, 48))
    tower = model.image_encoder
    blocks = [*tower.vit.blocks, tower.local_block]

    def attend(block, x):
        """What a block makes of all tokens, and where they looked."""
        heads = block.attn
        q, k, v = (
            heads.qkv(block.norm1(x)).unflatten(-1, (3, heads.num_heads, -1))
        ).permute(2, 0, 3, 1, 4)
        probs = (q @ k.transpose(-2, -1) * heads.head_dim**-0.5).softmax(-1)
        x = x + heads.proj((probs @ v).transpose(1, 2).flatten(2))
        return x + block.mlp(block.norm2(x)), probs

    x = tower.embed(inputs['images'], inputs['camids']).detach()
    x, first = attend(blocks[0], x)
    out, last = attend(blocks[1], x)
    v = tower.vit.norm(out)[:, 0]
    order = shift_and_shuffle(torch.arange(12)[None, :, None]).flatten().tolist()
    parts, looked = [], []
    for i in range(4):
        own = order[3 * i : 3 * i + 3]
        group = torch.cat([x[:, :1], x[:, [1 + p for p in own]]], 1)
        made, probs = attend(blocks[2], group)
        parts.append(tower.local_norm(made)[:, 0])
        looked.append(probs)
    made = {'v': v, 'v_parts': torch.cat([v, *(p / 4 for p in parts)], 1)}
    made |= {f'part_{i + 1}': part for i, part in enumerate(parts)}
    joined = torch.cat([made[name] for name in features], 1)[0]
    score = joined @ (joined / joined.norm()).detach()
    records = [first, last, *looked]
    gradients = torch.autograd.grad(score, records, allow_unused=True)
    means = [
        (p.detach() * (0 if g is None else g)).clamp(min=0).mean(1)[0]
        for p, g in zip(records, gradients, strict=True)
    ]
    row = torch.zeros(13).double()
    if {'v', 'v_parts'} & set(features):
        row[0] += 1
        row += means[1][0]
    for i in range(4):
        if {f'part_{i + 1}', 'v_parts'} & set(features):
            row[0] += 1 + means[2 + i][0, 0]
            for k, patch in enumerate(order[3 * i : 3 * i + 3]):
                row[1 + patch] += means[2 + i][0, 1 + k]
    row = row @ (torch.eye(13).double() + means[0])
    found = explain_feature(model, inputs, features)
    torch.testing.assert_close(found.maps[0], to_map(row, 1, (4, 3)), **EXACT)


def test_grad_cam_is_that_of_loops():
    maps, gradient = torch.randn(2, 3, 4, 2).double(), torch.randn(2, 3, 4, 2).double()
    found = grad_cam(maps, gradient)
    for b in range(2):
        for y in range(4):
            for x in range(2):
                total = 0.0
                for c in range(3):
                    weight = sum(float(g) for g in gradient[b, c].flatten()) / 8
                    total += weight * float(maps[b, c, y, x])
                assert abs(float(found[b, y, x]) - max(total, 0)) < 1e-12


def test_a_resnets_map_is_that_of_its_last_layer():
    model = build_tiny('bot').double()
    inputs = make_inputs(2, (64, 32))
    found = explain_feature(model, inputs, ('f_i',))
    layer = model.image_encoder.resnet.layer4
    kept = []
    hook = layer.register_forward_hook(lambda *args: kept.append(args[-1]))
    (features,) = model.image_features(inputs, ('f_i',))
    hook.remove()
    # GAP, then BN: a linear map, so that weights are known without autograd
    scale = (
        model.necks['f_i'].bn.weight
        / (model.necks['f_i'].bn.running_var + model.necks['f_i'].bn.eps).sqrt()
    )
    weights = F.normalize(features, dim=1) * scale
    maps = (weights[:, :, None, None] * kept[0]).sum(1).clamp(min=0)
    expected = normalize_map(maps).detach()
    torch.testing.assert_close(found.maps, expected, rtol=0, atol=1e-10)
    for kind in ('rollout', 'attention'):
        with pytest.raises(ExplainError, match='ResNetEncoder has no attention'):
            explain_feature(model, inputs, ('f_i',), kind)


def test_random_maps_are_of_their_seed():
    model, inputs = build_dual(), make_inputs()
    one, same, other = (
        explain_feature(model, inputs, ('v',), 'random', seed).maps
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
