"""A damaged checkpoint is an error, or has what was written; never other weights.

``pytest -m exhaustive`` tries every byte, and 200 files damaged at random.
"""

import random
from collections import Counter

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    MissingCheckpointError,
    read_checkpoint,
)
from hplreid.utils.checkpoints.load_weights import load_inference_weights
from hplreid.utils.checkpoints.weights_file import write_weights

CONFIG = dict(type='DualEncoder', image_encoder=dict(type='Tower', arch='small'))
OTHER = dict(type='CLIPReID', image_encoder=dict(type='Tower', arch='small'))
FORMATS = ('pth', 'safetensors')


class Model(nn.Module):
    """Two towers, with a buffer and a counter."""

    def __init__(self):
        super().__init__()
        self.image_encoder = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
        self.text_encoder = nn.Linear(8, 16)


@pytest.fixture(scope='module')
def written():
    """The content of a checkpoint, as a training writes it."""
    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters())
    x = torch.rand(4, 8)
    (model.image_encoder(x) * model.text_encoder(x)).sum().backward()
    optimizer.step()
    meta = dict(
        epoch=1,
        cfg=Config(dict(model=CONFIG)).pretty_text,
        dataset_meta=dict(dataset_name='a', label_of={3: 0, 'x': 1, ('m', 2): 2}),
    )
    return dict(
        meta=meta, state_dict=model.state_dict(), optimizer=optimizer.state_dict()
    )


def write(content, path):
    if path.suffix == '.safetensors':
        write_weights(path, content['state_dict'], content['meta'])
    else:
        torch.save(content, path)


def same(a, b):
    """Whether two contents are equal to the bit."""
    if torch.is_tensor(a):
        return torch.is_tensor(b) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() == b.keys()
            and all(same(v, b[k]) for k, v in a.items())
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def outcome(path, whole):
    """Read a file, and load it; return what came of it.

    Args:
        path: The file.
        whole: What it had at first.
    """
    model = Model()
    try:
        found = read_checkpoint(path)
        load_inference_weights(model, path, CONFIG)
    except CheckpointError as error:
        message = str(error)
    else:
        message = ''
    if message:
        assert str(path) in message
        assert 'weights_only' not in message
        return 'refused'
    kept = model.state_dict()
    assert all(torch.equal(kept[k], v) for k, v in whole['state_dict'].items())
    assert same(found, whole)
    return 'equal'


def truncate(data, rng):
    return data[: rng.randrange(len(data))]


def flip(data, rng):
    place = rng.randrange(len(data))
    return _flip(data, place, rng.randrange(8))


def _flip(data, place, bit):
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def blank(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + bytes(min(512, len(data) - start)) + data[start + 512 :]


def exchange(data, rng):
    """Exchange two blocks, as a disk may."""
    a, b = sorted(rng.sample(range(0, len(data) - 256, 256), 2))
    one, other = data[a : a + 256], data[b : b + 256]
    return data[:a] + other + data[a + 256 : b] + one + data[b + 256 :]


def insert(data, rng):
    place = rng.randrange(len(data))
    return data[:place] + rng.randbytes(rng.randrange(1, 9)) + data[place:]


OF_BYTES = (truncate, flip, blank, exchange, insert)


def wrong_type(content, rng):
    name = rng.choice([k for k in content['state_dict'] if 'num_batches' not in k])
    kind = rng.choice([torch.int64, torch.bool, torch.int8])
    content['state_dict'][name] = content['state_dict'][name].to(kind)


def not_finite(content, rng):
    name = rng.choice([k for k in content['state_dict'] if 'num_batches' not in k])
    value = content['state_dict'][name]
    value.view(-1)[rng.randrange(value.numel())] = rng.choice([float('nan'), 1e999])


def missing(content, rng):
    del content['state_dict'][rng.choice(list(content['state_dict']))]


def other_shape(content, rng):
    name = rng.choice(list(content['state_dict']))
    content['state_dict'][name] = torch.ones(3, 5)


def no_weights(content, rng):
    content['state_dict'] = rng.choice([{}, dict(epoch=torch.ones(1))])


def other_method(content, rng):
    content['meta'] = dict(content['meta'], cfg=Config(dict(model=OTHER)).pretty_text)


OF_CONTENT = (wrong_type, not_finite, missing, other_shape, no_weights, other_method)


def damage(written, folder, seed):
    """Write the file number ``seed``; return its path and the kind of its damage."""
    rng = random.Random(seed)
    path = folder / f'{seed}.{FORMATS[seed % 2]}'
    kind = (OF_BYTES + OF_CONTENT)[seed // 2 % len(OF_BYTES + OF_CONTENT)]
    if kind in OF_BYTES:
        write(written, path)
        path.write_bytes(kind(path.read_bytes(), rng))
        return path, kind.__name__
    weights = {k: v.clone() for k, v in written['state_dict'].items()}
    content = dict(written, state_dict=weights)
    kind(content, rng)
    write(content, path)
    return path, kind.__name__


def of_format(written, path):
    """Return what a file of this format has of a checkpoint."""
    kept = ('state_dict', 'meta') if path.suffix == '.safetensors' else written
    return {key: written[key] for key in kept}


def try_all(written, folder, seeds):
    counts = Counter()
    for seed in seeds:
        path, kind = damage(written, folder, seed)
        found = outcome(path, of_format(written, path))
        if kind not in ('flip', 'exchange', 'blank'):
            assert found == 'refused', (seed, kind)
        counts[kind, found] += 1
        path.unlink()
    return counts


def test_some_damaged_files(written, tmp_path):
    counts = try_all(written, tmp_path, range(22))
    assert counts.total() == 22
    assert sum(n for (_, found), n in counts.items() if found == 'refused') >= 18


@pytest.mark.exhaustive
def test_many_damaged_files(written, tmp_path, capsys):
    counts = try_all(written, tmp_path, range(1000, 1220))
    with capsys.disabled():
        print(f'\n{counts.total()} damaged files')
        for (kind, found), n in sorted(counts.items()):
            print(f'  {kind:12} {found:8} {n}')


@pytest.mark.exhaustive
@pytest.mark.parametrize('suffix', FORMATS)
def test_a_flip_in_every_byte(written, tmp_path, capsys, suffix):
    path = tmp_path / f'a.{suffix}'
    write(written, path)
    data, whole, counts = path.read_bytes(), of_format(written, path), Counter()
    # Every bit of what says where a part is, which no checksum covers
    start = data.index(b'PK\x01\x02') if suffix == 'pth' else len(data)
    for place in range(len(data)):
        for bit in range(8) if place >= start else [place % 8]:
            path.write_bytes(_flip(data, place, bit))
            counts[outcome(path, whole)] += 1
    with capsys.disabled():
        print(f'\n{suffix} of {len(data)} bytes, flips: {dict(counts)}')


def test_a_part_that_torch_would_leave_unread(written, tmp_path):
    path = tmp_path / 'a.pth'
    write(written, path)
    data = path.read_bytes()
    entry = data.rindex(b'PK\x01\x02')
    path.write_bytes(_flip(data, entry + 38, 4))  # MS-DOS: the part is a folder
    with pytest.raises(CheckpointError, match='a part of it is marked as a folder'):
        read_checkpoint(path)


@pytest.mark.parametrize('suffix', FORMATS)
def test_an_intact_file_is_equal(written, tmp_path, suffix):
    path = tmp_path / f'a.{suffix}'
    write(written, path)
    assert outcome(path, of_format(written, path)) == 'equal'


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('a.pth', b'', 'it is empty'),
        ('a.safetensors', b'', 'it is damaged, or not in the format of safetensors'),
        ('a.pth', b'version https://git-lfs', 'or was not written by torch.save'),
        ('a.pth', b'PK\x03\x04 and no more', 'its end is missing or overwritten'),
        ('a.safetensors', b'PK\x03\x04 and no more', 'not in the format of safetensor'),
    ],
)
def test_other_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(tmp_path / name)


def test_the_format_of_the_other_ending(written, tmp_path):
    write(written, tmp_path / 'a.pth')
    write(written, tmp_path / 'b.safetensors')
    (tmp_path / 'a.pth').rename(tmp_path / 'a.safetensors')
    (tmp_path / 'b.safetensors').rename(tmp_path / 'b.pth')
    for name in ('a.safetensors', 'b.pth'):
        with pytest.raises(CheckpointError, match="can't be read as a checkpoint"):
            read_checkpoint(tmp_path / name)


def test_a_file_without_checksums_is_read(written, tmp_path):
    config = pytest.importorskip('torch.utils.serialization').config
    config.save.compute_crc32 = False
    try:
        torch.save(written, tmp_path / 'a.pth')
    finally:
        config.save.compute_crc32 = True
    assert outcome(tmp_path / 'a.pth', written) == 'equal'


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(MissingCheckpointError, match='is a folder, not a file'):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize('key', ['state_dict', 'meta'])
def test_parts_are_dicts(tmp_path, key):
    torch.save({'state_dict': {}, 'meta': {}, key: [1]}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=f"its '{key}' is not a dict"):
        read_checkpoint(tmp_path / 'a.pth')
