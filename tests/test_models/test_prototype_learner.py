"""DPP, IPP and APA by hand, in float64, and their numbers of parameters."""

import math

import pytest
import torch

from hplreid.models.prompt_learners import PrototypeLearner
from hplreid.models.prompt_learners.prototype_aggregation import PrototypeAggregation
from hplreid.models.prompt_learners.prototype_blocks import (
    DomainPrompting,
    InstancePrompting,
)

NUM_IDS, WIDTH, HEADS = 5, 8, 2


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def shaken(module):
    """The module in float64, its norms and biases not as they start."""
    torch.manual_seed(3)
    module = module.double()
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return module


def norm(x, weights, name):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    scaled = (x - mean) / torch.sqrt(variance + 1e-5)
    return scaled * weights[f'{name}.weight'] + weights[f'{name}.bias']


def linear(x, weights, name):
    return x @ weights[f'{name}.weight'].T + weights[f'{name}.bias']


def attend(queries, keys, weights, name):
    """Attention of the rows of ``queries`` to those of ``keys``, row by row."""
    size = WIDTH // HEADS
    projected = []
    for i, x in enumerate((queries, keys, keys)):
        part = slice(i * WIDTH, (i + 1) * WIDTH)
        matrix = weights[f'{name}.in_proj_weight'][part]
        projected.append(x @ matrix.T + weights[f'{name}.in_proj_bias'][part])
    q, k, v = projected
    out = torch.zeros_like(q)
    for head in range(HEADS):
        own = slice(head * size, (head + 1) * size)
        for row in range(len(q)):
            scores = [(q[row, own] @ key[own]).item() / math.sqrt(size) for key in k]
            e = [math.exp(s) for s in scores]
            for weight, value in zip(e, v, strict=True):
                out[row, own] += weight / sum(e) * value[own]
    return linear(out, weights, f'{name}.out_proj')


def mlp(x, weights, first, second):
    hidden = linear(x, weights, first)
    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    return linear(hidden, weights, second)


def self_attention_block(x, weights):
    inner = norm(x, weights, 'norm1')
    x = x + attend(inner, inner, weights, 'self_attn')
    return x + mlp(norm(x, weights, 'norm2'), weights, 'linear1', 'linear2')


def cross_attention_block(x, instances, weights):
    queries, keys = norm(x, weights, 'norm1'), norm(instances, weights, 'norm1')
    x = x + attend(queries, keys, weights, 'attention')
    return x + mlp(norm(x, weights, 'norm2'), weights, 'mlp.0', 'mlp.2')


@pytest.mark.parametrize('depth', [1, 2])
@pytest.mark.parametrize('modality', ['image', 'text'])
def test_domain_prompting_is_the_last_token_of_blocks(depth, modality):
    module = shaken(DomainPrompting(NUM_IDS, WIDTH, 3, depth, HEADS))
    labels, initial = torch.tensor([4, 0, 4]), rand(3, WIDTH)
    found = module(modality, initial, labels)
    for row, label in enumerate(labels.tolist()):
        x = torch.cat([module.vectors[modality][label], initial[row : row + 1]])
        for block in module.blocks:
            x = self_attention_block(x, block.state_dict())
        torch.testing.assert_close(found[row], x[-1], rtol=1e-10, atol=1e-10)


def test_modalities_have_their_vectors_and_share_the_block():
    module = shaken(DomainPrompting(NUM_IDS, WIDTH, 2, 1, HEADS))
    initial, labels = rand(2, WIDTH), torch.tensor([1, 3])
    image, text = (module(m, initial, labels) for m in ('image', 'text'))
    assert not torch.allclose(image, text)
    module.vectors['text'].data = module.vectors['image'].data
    assert torch.equal(module('text', initial, labels), image)


@pytest.mark.parametrize('share', [True, False])
def test_instance_prompting_attends_to_the_instances(share):
    module = shaken(InstancePrompting(WIDTH, 3, HEADS, share_blocks=share))
    prototypes, instances = rand(2, WIDTH), rand(4, WIDTH, seed=1)
    blocks = list(module.blocks)
    assert len(blocks) == (1 if share else 3)
    x = prototypes
    for block in blocks * (3 if share else 1):
        x = cross_attention_block(x, instances, block.state_dict())
    found = module(prototypes, instances)
    torch.testing.assert_close(found, x, rtol=1e-10, atol=1e-10)


def aggregate_prototypes(initial, *prompted):
    return PrototypeAggregation('adaptive', initial.shape[1], 3)(initial, *prompted)


def test_aggregation_by_hand():
    initial = torch.tensor([[1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)
    prompted = [rand(2, 2, seed=s) for s in range(3)]
    found = aggregate_prototypes(initial, *prompted)
    for row in range(2):
        pt = initial[row].tolist()
        candidates = [p[row].tolist() for p in prompted]
        e = [math.exp(sum(map(math.prod, zip(pt, p, strict=True)))) for p in candidates]
        for c in range(2):
            total = sum(w / sum(e) * p[c] for w, p in zip(e, candidates, strict=True))
            assert found[row, c].item() == pytest.approx(pt[c] + total, rel=1e-12)


@pytest.mark.parametrize(('aggregation', 'weight'), [('mean', 1 / 3), ('sum', 1)])
def test_aggregation_without_weights_of_its_own(aggregation, weight):
    learner = build(aggregation=aggregation)
    initial, instances, labels = inputs()
    found = learner(initial, instances, labels)['image']
    pt = initial['image']
    prompted = [
        learner.domain('image', pt, labels),
        *(learner.instance(pt, instances[m]) for m in ('image', 'text')),
    ]
    for row in range(3):
        for c in range(WIDTH):
            total = pt[row, c] + weight * sum(p[row, c] for p in prompted)
            assert found[row, c].item() == pytest.approx(total.item(), rel=1e-12)


def test_aggregation_by_weights_of_an_mlp():
    initial, prompted = rand(2, 4), [rand(2, 4, seed=s) for s in (1, 2, 3)]
    aggregation = shaken(PrototypeAggregation('mlp', 4, 3))
    found = aggregation(initial, *prompted)
    first, _, last = aggregation.mlp
    for row in range(2):
        scores = []
        for p in prompted:
            hidden = [
                sum(first.weight[i, c] * p[row, c] for c in range(4)) + first.bias[i]
                for i in range(4)
            ]
            hidden = [
                h * 0.5 * (1 + math.erf(h.item() / math.sqrt(2))) for h in hidden
            ]  # GELU
            scores.append(sum(last.weight[0, i] * hidden[i] for i in range(4)))
        e = [math.exp(score + last.bias[0]) for score in scores]
        for c in range(4):
            total = sum(
                w / sum(e) * p[row, c] for w, p in zip(e, prompted, strict=True)
            )
            assert found[row, c].item() == pytest.approx(
                (initial[row, c] + total).item(), rel=1e-10
            )


def test_learned_weights_start_equal_and_learn():
    initial, prompted = rand(2, 4), [rand(2, 4, seed=s) for s in (1, 2, 3)]
    aggregation = PrototypeAggregation('learned', 4, 3).double()
    mean = initial + sum(prompted) / 3
    torch.testing.assert_close(aggregation(initial, *prompted), mean)
    aggregation.logits.data = torch.tensor([0.0, 1.0, -2.0], dtype=torch.float64)
    e = [1.0, math.e, math.exp(-2)]
    expected = initial + sum(w / sum(e) * p for w, p in zip(e, prompted, strict=True))
    found = aggregation(initial, *prompted)
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    assert aggregation.logits.grad.abs().min() > 0


@pytest.mark.parametrize('aggregation', ['mlp', 'learned'])
def test_one_aggregation_serves_both_modalities(aggregation):
    learner = build(aggregation=aggregation, enrich=['intra'])
    initial, instances, labels = inputs()
    found = learner(initial, instances, labels)
    for modality, pt in initial.items():
        prompted = [
            learner.domain(modality, pt, labels),
            learner.instance(pt, instances[modality]),
        ]
        expected = learner.aggregation(pt, *prompted)
        torch.testing.assert_close(found[modality], expected)


def test_aggregation_is_exact_under_autocast():
    """Dot products near 100 differ by less than bfloat16 tells apart."""
    initial = 10 * torch.nn.functional.normalize(torch.randn(3, 16), dim=1)
    prompted = [initial + 0.02 * torch.randn(3, 16) for _ in range(3)]
    expected = aggregate_prototypes(initial, *prompted)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(aggregate_prototypes(initial, *prompted), expected)
    half = [p.bfloat16() for p in prompted]  # what blocks under autocast return
    assert aggregate_prototypes(initial, *half).dtype == torch.float32


def build(**options):
    defaults = dict(num_vectors=2, num_heads=HEADS, enrich_depth=2)
    return shaken(PrototypeLearner(NUM_IDS, WIDTH, **{**defaults, **options}))


def inputs():
    initial = {'image': rand(3, WIDTH), 'text': rand(3, WIDTH, seed=1)}
    instances = {'image': rand(4, WIDTH, seed=2), 'text': rand(4, WIDTH, seed=3)}
    return initial, instances, torch.tensor([3, 1, 0])


@pytest.mark.parametrize(
    ('adapt', 'enrich'),
    [
        (True, []),
        (False, ['intra']),
        (False, ['inter']),
        (False, ['intra', 'inter']),
        (True, ['inter', 'intra']),
    ],
)
def test_learner_aggregates_what_it_is_told_to_make(adapt, enrich):
    learner = build(adapt=adapt, enrich=enrich)
    initial, instances, labels = inputs()
    found = learner(initial, instances, labels)
    for modality, other in (('image', 'text'), ('text', 'image')):
        pt, prompted = initial[modality], []
        if adapt:
            prompted.append(learner.domain(modality, pt, labels))
        if 'intra' in enrich:
            prompted.append(learner.instance(pt, instances[modality]))
        if 'inter' in enrich:
            prompted.append(learner.instance(pt, instances[other]))
        expected = aggregate_prototypes(pt, *prompted)
        torch.testing.assert_close(found[modality], expected)


def test_all_prototypes_are_those_of_labels_in_order():
    learner = build()
    _, instances, _ = inputs()
    initial = {m: rand(NUM_IDS, WIDTH, seed=s) for s, m in enumerate(('image', 'text'))}
    every = learner(initial, instances)
    some = torch.tensor([4, 1])
    part = learner({m: pt[some] for m, pt in initial.items()}, instances, some)
    for modality, prototypes in every.items():
        torch.testing.assert_close(part[modality], prototypes[some])


def size(module):
    return sum(p.numel() for p in module.parameters())


def test_published_numbers_of_parameters():
    """Table 4: +48.22 M of DPP, +3.15 M of IPP, with CUHK-PEDES' 11,003 identities."""
    with torch.device('meta'):
        domain = PrototypeLearner(11003, 512, enrich=[])
        instance = PrototypeLearner(11003, 512, adapt=False)
        both = PrototypeLearner(11003, 512)
        unshared = PrototypeLearner(11003, 512, adapt=False, share_blocks=False)
    block = 12 * 512**2 + 13 * 512
    assert size(domain) == 2 * 4 * 512 * 11003 + block == 48_220_672
    assert size(instance) == block == 3_152_384
    assert size(both) == size(domain) + size(instance)
    assert size(unshared) == 3 * block


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(enrich='intra'), "enrich='intra': expected distinct"),
        (dict(enrich=['intra', 'intra']), 'expected distinct'),
        (dict(enrich=['extra']), "enrich='extra': expected one of"),
        (dict(adapt=False, enrich=[]), 'nothing is learned'),
        (dict(aggregation='max'), "aggregation='max': expected one of"),
        (dict(num_vectors=0), 'num_vectors=0:'),
        (dict(adapt_depth=0), 'depth=0:'),
        (dict(enrich_depth=0), 'depth=0:'),
    ],
)
def test_rejected_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
