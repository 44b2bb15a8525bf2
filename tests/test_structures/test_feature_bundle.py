"""Named features: which rows they cover, and how they cross processes."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from hplreid.structures import FeatureBundle

LABELS = torch.tensor([5, 5, 8, 9])
# Two ranks with as many captions each, but at other places of their batch.
RANKS = [
    dict(captioned=[0, 2], image_only=[1, 3]),
    dict(captioned=[1, 3], image_only=[0, 2]),
]
BATCH, DIM = 4, 3


@pytest.fixture
def bundle():
    bundle = FeatureBundle(LABELS, torch.tensor([0, 2]), torch.tensor([1, 3]))
    bundle.put('v', torch.arange(4.0).unsqueeze(1))
    bundle.put('t', torch.tensor([[10.0], [12.0]]), 'captioned')
    bundle.put_table('logit_scale', torch.tensor(4.0))
    return bundle


@pytest.mark.parametrize(
    ('group', 'rows', 'labels'),
    [
        ('all', [0, 1, 2, 3], [5, 5, 8, 9]),
        ('captioned', [0, 2], [5, 8]),
        ('image_only', [1, 3], [5, 9]),
    ],
)
def test_select_cuts_a_feature_of_all_rows(bundle, group, rows, labels):
    value, got = bundle.select('v', group)
    assert value.flatten().tolist() == rows
    assert got.tolist() == labels


def test_select_returns_a_captioned_feature_as_it_is(bundle):
    value, labels = bundle.select('t', 'captioned')
    assert value.flatten().tolist() == [10.0, 12.0]
    assert labels.tolist() == [5, 8]


def test_missing_feature_lists_what_is_on_offer(bundle):
    with pytest.raises(KeyError, match="No feature 'u' on offer.*logit_scale, t, v"):
        bundle.select('u')


def test_missing_table_lists_what_is_on_offer(bundle):
    with pytest.raises(KeyError, match='identity_prompts.*logit_scale, t, v'):
        bundle.table('identity_prompts')


def test_a_feature_is_no_table(bundle):
    with pytest.raises(KeyError, match="'v'"):
        bundle.table('v')
    assert bundle.table('logit_scale') == 4


@pytest.mark.parametrize('group', ['all', 'image_only'])
def test_select_of_rows_that_the_feature_lacks(bundle, group):
    with pytest.raises(ValueError, match=f"'t' covers.*'captioned'.*'{group}'"):
        bundle.select('t', group)


def test_unknown_group_names_the_groups(bundle):
    with pytest.raises(ValueError, match="'texts'.*all.*captioned.*image_only"):
        bundle.select('v', 'texts')


def test_gather_with_one_process_is_the_bundle_itself(bundle):
    assert bundle.gather({'v', 'logit_scale'}) is bundle


def test_gather_of_a_missing_name_fails_with_one_process_too(bundle):
    with pytest.raises(KeyError, match="No feature 'u' on offer"):
        bundle.gather({'v', 'u'})


def images():
    """Inputs of the global batch, ``(2 * BATCH, DIM)``."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2 * BATCH, DIM, generator=generator, dtype=torch.float64)


def make(inputs, weight, labels, captioned, image_only):
    """A bundle of a linear 'tower', with a feature of each kind and a table."""
    rows = torch.tensor(captioned), torch.tensor(image_only)
    bundle = FeatureBundle(labels, *rows)
    bundle.put('v', inputs @ weight)
    bundle.put('t', (inputs[rows[0]] @ weight).sin(), 'captioned')
    bundle.put_table('scale', weight.square().sum())
    return bundle


def loss_of(bundle):
    """Something that mixes every row with every other, groups, labels and a table."""
    v, labels = bundle.select('v')
    captioned, caption_labels = bundle.select('v', 'captioned')
    rest, _ = bundle.select('v', 'image_only')
    t, _ = bundle.select('t', 'captioned')
    same = (labels[:, None] == caption_labels).to(v)
    pairs = (v @ t.T).softmax(dim=1) * (1 + same)
    order = torch.arange(1, len(t) + 1, dtype=v.dtype)  # notices a wrong row order
    match = (captioned * t).sum(dim=1) @ order - (rest.sum(dim=1) @ order).cos()
    return pairs.square().sum() + match + bundle.table('scale')


def rank_bundle(rank, weight):
    half = slice(rank * BATCH, (rank + 1) * BATCH)
    return make(images()[half], weight, LABELS + rank, **RANKS[rank])


def run_rank(rank, store, results):
    """One of two processes: the global loss, and the gradient averaged as by DDP."""
    torch.set_num_threads(1)
    dist.init_process_group('gloo', f'file://{store}', rank=rank, world_size=2)
    try:
        weight = torch.eye(DIM, dtype=torch.float64).requires_grad_()
        bundle = rank_bundle(rank, weight).gather({'v', 't', 'scale'})
        loss = loss_of(bundle)
        loss.backward()
        dist.all_reduce(weight.grad)
        torch.save((loss.detach(), weight.grad / 2, bundle.names), results[rank])
    finally:
        dist.destroy_process_group()


def test_two_processes_give_loss_and_gradient_of_one(tmp_path):
    results = [tmp_path / f'{rank}.pt' for rank in range(2)]
    mp.spawn(run_rank, args=(tmp_path / 'store', results), nprocs=2)

    weight = torch.eye(DIM, dtype=torch.float64).requires_grad_()
    rows = {
        group: RANKS[0][group] + [row + BATCH for row in RANKS[1][group]]
        for group in RANKS[0]
    }
    whole = make(images(), weight, torch.cat([LABELS, LABELS + 1]), **rows)
    expected = loss_of(whole)
    expected.backward()
    for path in results:
        loss, grad, names = torch.load(path, weights_only=True)
        assert names == ['scale', 't', 'v']
        torch.testing.assert_close(loss, expected.detach(), rtol=0, atol=1e-12)
        torch.testing.assert_close(grad, weight.grad, rtol=0, atol=1e-12)
