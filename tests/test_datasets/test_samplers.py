"""Samplers: the rules of a batch, and one stream for any number of processes."""

import random
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from torch.utils.data import DataLoader

from hplreid.datasets import (
    CaptionSampler,
    IdentitySampler,
    ItemDataset,
    ItemSampler,
    JointSampler,
)
from hplreid.datasets.samplers.epoch_passes import identity_pass
from hplreid.datasets.samplers.identity_chunks import camera_chunks, random_chunks
from hplreid.registry import DATA_SAMPLERS


def make_dataset(captioned=(), images=()):
    """A dataset with so many items of each identity: captioned ones, then images.

    The images of an identity have cameras 0, 1, 1, 2, 2, 2, ... and captions none.
    """
    items = []
    for counts, caption in ((captioned, 'a man'), (images, None)):
        for label, count in enumerate(counts):
            item = {'label': label, 'caption': caption, 'img_path': 'x.jpg'}
            cameras = np.repeat(np.arange(9), np.arange(1, 10)) if not caption else [-1]
            items += [
                dict(item, source='toy', camid=int(cameras[i % len(cameras)]))
                for i in range(count)
            ]
    return ItemDataset(items, (), {'num_ids': 0})


CAPTIONED = [5, 9, 4, 6, 7, 9, 3, 5]  # 48 items
IMAGES = [4, 2, 9, 5, 8, 13, 1, 6, 4, 7]
JOINT = make_dataset(CAPTIONED, IMAGES)
SIZES = {'num_pairs': 8, 'num_ids': 4, 'num_instances': 2}
SAMPLERS = [
    (CaptionSampler, {'batch_size': 8}, [8]),
    (ItemSampler, {'batch_size': 8}, [8]),
    (IdentitySampler, {'batch_size': 16, 'num_instances': 4}, [16]),
    (JointSampler, SIZES, [8, 8]),
    (JointSampler, {**SIZES, 'balance_cameras': True}, [8, 8]),
    (JointSampler, {**SIZES, 'pairs': 'identity', 'epoch': 'max'}, [8, 8]),
]


def stream(cls, options, **more):
    epoch = more.pop('epoch_number', 0)
    start = more.pop('start', 0)
    sampler = cls(JOINT, 3, **options, **more)
    sampler.set_epoch(epoch)
    sampler.set_start(start)
    return sampler, np.array(list(sampler))


@pytest.mark.parametrize('world_size', [1, 2, 4])
@pytest.mark.parametrize(('cls', 'options', 'parts'), SAMPLERS)
def test_ranks_share_each_global_batch(cls, options, parts, world_size):
    whole, expected = stream(cls, options, epoch_number=2)
    batches = expected.reshape(whole.batches_per_epoch, sum(parts), 2)
    share = sum(parts) // world_size
    seen = []
    for rank in range(world_size):
        sampler, found = stream(
            cls, options, epoch_number=2, rank=rank, world_size=world_size
        )
        assert len(sampler) == len(found) == len(whole) // world_size
        assert sampler.batches_per_epoch == whole.batches_per_epoch
        seen.append(found.reshape(-1, share, 2))
    # Put together part by part, in the order of ranks, they are the global batches
    begin = 0
    for part, place in zip(parts, np.cumsum([0, *parts[:-1]]), strict=True):
        size = part // world_size
        union = np.concatenate([s[:, begin : begin + size] for s in seen], axis=1)
        assert np.array_equal(union, batches[:, place : place + part])
        begin += size


@pytest.mark.parametrize(('cls', 'options', 'parts'), SAMPLERS)
def test_epochs_and_seeds_differ(cls, options, parts):
    _, first = stream(cls, options)
    assert np.array_equal(first, stream(cls, options)[1])
    _, other = stream(cls, options, epoch_number=1)
    assert not np.array_equal(first[:, 0], other[:, 0])
    assert not set(first[:, 1]) & set(other[:, 1])
    assert len(set(first[:, 1])) == len(first)
    changed = np.array(list(cls(JOINT, 4, **options)))
    assert not np.array_equal(first[:, 0], changed[:, 0])


@pytest.mark.parametrize('world_size', [1, 2])
@pytest.mark.parametrize(('cls', 'options', 'parts'), SAMPLERS)
def test_resume_in_mid_epoch(cls, options, parts, world_size):
    ranks = {'rank': world_size - 1, 'world_size': world_size}
    sampler, whole = stream(cls, options, epoch_number=1, **ranks)
    for start in (1, 3, sampler.batches_per_epoch):
        resumed, rest = stream(cls, options, epoch_number=1, start=start, **ranks)
        done = start * sum(parts) // world_size
        assert np.array_equal(rest.reshape(-1, 2), whole[done:])
        assert len(resumed) == len(whole)
        resumed.set_epoch(1)  # a hook says it again: the start stays
        assert resumed.start == start
        resumed.set_epoch(2)
        assert len(list(resumed)) == len(whole)


def test_start_beyond_the_epoch():
    sampler = CaptionSampler(JOINT, 0, batch_size=8)
    with pytest.raises(ValueError, match='iteration 7 of an epoch of 6'):
        sampler.set_start(7)


def test_a_loader_makes_the_slices_its_batches():
    class Echo:
        def __getitem__(self, index):
            return index[0]

        def __len__(self):
            return len(JOINT)

    sampler = JointSampler(JOINT, 3, **SIZES, rank=1, world_size=2)
    for batch in DataLoader(Echo(), batch_size=8, sampler=sampler):
        assert JOINT.has_caption[batch.numpy()].tolist() == [True] * 4 + [False] * 4


def test_captions_come_once_an_epoch():
    dataset = make_dataset([5, 6], [9])
    sampler = CaptionSampler(dataset, 0, batch_size=4)
    assert sampler.batches_per_epoch == 2  # 11 captions: three wait
    counts = np.zeros(20, int)
    for epoch in range(300):
        sampler.set_epoch(epoch)
        drawn = [index for index, _ in sampler]
        assert len(set(drawn)) == 8
        counts[drawn] += 1
    assert not counts[11:].any()
    assert counts[:11].min() > 300 * 8 / 11 * 0.8  # everyone's turn comes


def test_items_come_once_an_epoch_with_captions_or_without():
    dataset = make_dataset([5, 6], [9])
    sampler = ItemSampler(dataset, 0, batch_size=4)
    assert sampler.batches_per_epoch == 5  # 20 items
    orders = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        orders.append([index for index, _ in sampler])
        assert sorted(orders[-1]) == list(range(20))
    assert orders[0] != orders[1]
    assert ItemSampler(dataset, 0, batch_size=6).batches_per_epoch == 3  # two wait


COUNTS = [4, 2, 9, 5, 8, 13, 1, 6, 4, 7]
GROUPS = np.split(np.arange(sum(COUNTS)), np.cumsum(COUNTS)[:-1])
CAMERAS = np.arange(sum(COUNTS)) % 3
P, K = 3, 4


def cut_by_chance(group, rng):
    return random_chunks(group, K, rng)


def cut_by_camera(group, rng):
    return camera_chunks(group, CAMERAS[group], K, rng)


@pytest.mark.parametrize('cut', [cut_by_chance, cut_by_camera])
def test_identity_pass_follows_the_rule_in_10_000_batches(cut):
    owner = np.repeat(np.arange(len(COUNTS)), COUNTS)
    counts = np.array(COUNTS)
    chunks = np.array([max(n // K, 1) for n in COUNTS])
    lengths = []
    while sum(lengths) < 10_000:
        rng = np.random.default_rng(len(lengths))
        drawn = identity_pass(GROUPS, P, cut, rng)
        who = owner[drawn].reshape(-1, P, K)
        assert (who == who[..., :1]).all()  # K side by side
        ids = np.sort(who[..., 0], axis=1)
        assert (np.diff(ids, axis=1) > 0).all()  # of P different identities
        used = np.bincount(ids.ravel(), minlength=len(counts))
        assert (used <= chunks).all()
        assert (used < chunks).sum() < P  # fewer than P have chunks left
        times = np.bincount(drawn.ravel(), minlength=len(owner))
        assert times[counts[owner] >= K].max() <= 1  # never twice
        assert np.array_equal(np.bincount(owner, times), used * K)
        lengths.append(len(drawn))
    assert len(set(lengths)) > 1  # chance decides how long a pass is


def reference_pass(rng):
    """The published sampler's rule, step by step, with Python's random numbers."""
    chunks = {}
    for label, group in enumerate(GROUPS):
        images = group.tolist()
        if len(images) < K:
            images = [rng.choice(images) for _ in range(K)]
        rng.shuffle(images)
        whole = len(images) // K
        chunks[label] = [images[i * K : (i + 1) * K] for i in range(whole)]
    batches = []
    while len(chunks) >= P:
        batch = rng.sample(sorted(chunks), P)
        batches.append([chunks[label].pop(0) for label in batch])
        chunks = {label: left for label, left in chunks.items() if left}
    return batches


def test_passes_are_distributed_as_the_reference_s():
    ours, theirs, numbers = Counter(), Counter(), random.Random(0)
    first = np.zeros((2, sum(COUNTS)), int)
    for seed in range(4000):
        drawn = identity_pass(GROUPS, P, cut_by_chance, np.random.default_rng(seed))
        ours[len(drawn)] += 1
        expected = np.array(reference_pass(numbers))
        theirs[len(expected)] += 1
        np.add.at(first[0], drawn.ravel(), 1)
        np.add.at(first[1], expected.ravel(), 1)
    lengths = sorted(ours | theirs)
    table = [[counts[n] for n in lengths] for counts in (ours, theirs)]
    assert chi2_contingency(table).pvalue > 1e-3  # how long passes are
    assert chi2_contingency(first).pvalue > 1e-3  # how often each image comes


def most_spread_chunks(counts, size):
    """How many chunks can have as many cameras as fit, by arithmetic."""
    whole = sum(counts) // size
    if len(counts) < size:
        return min(whole, *counts)
    able = (m for m in range(whole + 1) if sum(min(c, m) for c in counts) >= m * size)
    return max(able)


def test_as_many_chunks_as_can_be_have_as_many_cameras_as_fit():
    rng = np.random.default_rng(0)
    for _ in range(400):
        counts = rng.integers(1, 8, size=rng.integers(1, 7))
        cameras = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        size = int(rng.integers(2, 6))
        if len(cameras) < size:
            continue
        drawn = camera_chunks(np.arange(len(cameras)), cameras, size, rng)
        assert drawn.shape == (len(cameras) // size, size)
        assert len(set(drawn.ravel())) == drawn.size  # never twice
        spread = [len(set(cameras[chunk])) for chunk in drawn]
        full = sum(n == min(size, len(counts)) for n in spread)
        assert full == most_spread_chunks(counts.tolist(), size)


def test_few_images_are_all_taken_before_one_comes_again():
    group, cameras = np.array([7, 8, 9]), np.array([0, 0, 4])
    seen = Counter()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        (chunk,) = camera_chunks(group, cameras, 5, rng)
        times = np.bincount(chunk, minlength=10)[7:]
        # After all three, one of the larger camera and the other camera's only one
        assert times[2] == 2
        assert sorted(times[:2]) == [1, 2]
        seen[int(times[0])] += 1
    assert min(seen.values()) > 100


def test_cameras_of_two_data_sets_are_not_the_same():
    dataset = make_dataset(images=[2])
    for item, source in zip(dataset._items, ('one', 'two'), strict=True):
        item.update(camid=0, source=source)
    sampler = IdentitySampler(dataset, 0, 2, num_instances=2, balance_cameras=True)
    assert len(set(sampler.stream.cameras)) == 2


def test_unknown_cameras_are_refused():
    with pytest.raises(ValueError, match=r"needs the camera .* 'x.jpg' \(toy\) is not"):
        IdentitySampler(JOINT, 0, 8, balance_cameras=True)


def test_identities_are_drawn_evenly():
    groups = [np.arange(4 * i, 4 * i + 4) for i in range(6)]
    first = np.zeros(24)
    for seed in range(1500):
        drawn = identity_pass(groups, 2, cut_by_chance, np.random.default_rng(seed))
        assert len(drawn) == 3
        first[drawn[0]] += 1
    # Each of six is among the first two in a third of the passes: 500 +- 4 sigma
    assert abs(first - 500).max() < 4 * (1500 * 2 / 9) ** 0.5


def test_small_identities_are_filled_by_chance():
    drawn = [
        tuple(random_chunks(np.array([7, 8]), 4, np.random.default_rng(seed))[0])
        for seed in range(400)
    ]
    # With replacement, each of the 16 sequences is equally likely: (7, 7, 7, 7) too
    assert len(set(drawn)) == 16


def test_identity_sampler_has_a_fixed_length():
    dataset = make_dataset(images=COUNTS)
    sampler = IdentitySampler(dataset, 0, batch_size=12, num_instances=4)
    filled = [max(n, 4) for n in COUNTS]  # what the published sampler reports, in items
    assert sampler.batches_per_epoch == sum(n - n % 4 for n in filled) // 12 == 4
    for epoch in range(20):
        sampler.set_epoch(epoch)
        batches = np.array([i for i, _ in sampler]).reshape(-1, 12)
        assert len(batches) == sampler.batches_per_epoch
        for batch in batches:
            _, times = np.unique(dataset.labels[batch], return_counts=True)
            assert times.tolist() == [4, 4, 4]


def test_joint_batches():
    sampler = JointSampler(JOINT, 0, **SIZES)
    assert sampler.batches_per_epoch == 48 // 8
    batches = np.array([i for i, _ in sampler]).reshape(-1, 16)
    assert sorted(batches[:, :8].ravel()) == list(range(48))
    assert (batches[:, 8:] >= 48).all()
    for batch in batches:
        _, times = np.unique(JOINT.labels[batch[8:]], return_counts=True)
        assert times.tolist() == [2, 2, 2, 2]


def test_the_shorter_stream_goes_round_again():
    dataset = make_dataset([40], [2, 2, 2, 2])  # two batches of images a pass
    sampler = JointSampler(dataset, 0, num_pairs=4, num_ids=2, num_instances=2)
    images = np.array([i for i, _ in sampler]).reshape(10, 8)[:, 4:]
    passes = images.reshape(5, 8)
    assert all(sorted(p) == list(range(40, 48)) for p in passes)
    assert len({tuple(p) for p in passes}) > 1  # in another order


@pytest.mark.parametrize(
    ('captions', 'ids', 'expected'),
    [
        (40, 4, {'t2i': 10, 'max': 10, 'min': 2}),
        (8, 20, {'t2i': 2, 'max': 10, 'min': 2}),
    ],
)
def test_epoch_definitions(captions, ids, expected):
    dataset = make_dataset([captions], [2] * ids)
    for epoch, length in expected.items():
        sampler = JointSampler(
            dataset, 0, num_pairs=4, num_ids=2, num_instances=2, epoch=epoch
        )
        assert sampler.batches_per_epoch == length
        assert len(list(sampler)) == length * 8


def test_pairs_by_identity():
    sampler = JointSampler(JOINT, 0, **SIZES, pairs='identity')
    for batch in np.array([i for i, _ in sampler]).reshape(-1, 16):
        _, times = np.unique(JOINT.labels[batch[:8]], return_counts=True)
        assert times.tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ('cls', 'options', 'message'),
    [
        (CaptionSampler, {'batch_size': 49}, '49 captioned items .* has 48'),
        (ItemSampler, {'batch_size': 108}, '108 items .* has 107'),
        (CaptionSampler, {'batch_size': 6, 'world_size': 4, 'rank': 0}, 'of 6 items'),
        (JointSampler, {**SIZES, 'num_pairs': 6, 'world_size': 4}, r'6 \+ 8 items'),
        (IdentitySampler, {'batch_size': 6}, 'multiple of num_instances=4'),
        (IdentitySampler, {'batch_size': 44}, '11 identities .* has 10'),
        (JointSampler, {**SIZES, 'num_ids': 0}, 'at least one identity'),
        (JointSampler, {**SIZES, 'epoch': 'sum'}, "'t2i', 'max', 'min'.*got 'sum'"),
        (JointSampler, {**SIZES, 'pairs': 'all'}, "or 'identity', got 'all'"),
        (JointSampler, {**SIZES, 'pairs': 'identity', 'num_pairs': 7}, 'num_pairs=7'),
    ],
)
def test_refused(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls(JOINT, 0, **options)


def test_test_split_has_no_labels():
    dataset = make_dataset(images=[4, 4])
    dataset.labels[:] = -1
    with pytest.raises(ValueError, match="expected a dataset of split 'train'"):
        IdentitySampler(dataset, 0, batch_size=4)


def test_built_as_the_runner_does():
    config = {'type': 'CaptionSampler', 'batch_size': 4}
    sampler = DATA_SAMPLERS.build(config, default_args={'dataset': JOINT, 'seed': 9})
    assert sampler.seed == 9
    assert CaptionSampler(JOINT, batch_size=4).seed >= 0  # a seed of its own
