"""Checkpoints have plain values, and others are not read."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint

import hplreid.engine  # noqa: F401  (makes MMEngine read safely)
from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    pack_message_hub,
    read_checkpoint,
    to_plain,
    unpack_message_hub,
)


class Bomb:
    """An object that executes code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (np.float64(1.5), 1.5),
        (np.int32(3), 3),
        (np.bool_(True), True),
        (Path('a/b'), str(Path('a/b'))),
        ({'a': (1, [None, 'x', b'y'])}, {'a': (1, [None, 'x', b'y'])}),
        ({np.int64(4): 2.0}, {4: 2.0}),
    ],
)
def test_plain_values(value, expected):
    plain = to_plain(value)
    assert plain == expected
    assert type(plain) is type(expected)


def test_arrays_become_tensors_and_order_stays():
    plain = to_plain(OrderedDict(b=np.arange(3), a=torch.ones(1)))
    assert isinstance(plain, OrderedDict)
    assert plain['b'].tolist() == [0, 1, 2]
    assert type(to_plain(np.float64(2.0))) is float


def test_other_objects_are_errors_with_their_place():
    with pytest.raises(
        TypeError, match=r'meta\.deep\.1 is a object; expected only tensors'
    ):
        to_plain(dict(deep=[1, object()]), 'meta')


def test_histories_are_restored():
    history = HistoryBuffer([1.0, 2.5], [1, 2])
    packed = pack_message_hub(dict(log_scalars=dict(a=history), runtime_info=dict(b=1)))
    restored = unpack_message_hub(packed)
    assert restored['runtime_info'] == dict(b=1)
    values, counts = restored['log_scalars']['a'].data
    assert values.tolist() == [1.0, 2.5]
    assert counts.tolist() == [1, 2]
    assert restored['log_scalars']['a'].mean() == history.mean()


@pytest.fixture(params=['ours', 'mmengine'])
def read(request):
    """Our function, and MMEngine's, which would unpickle any object."""
    if request.param == 'ours':
        return read_checkpoint
    return lambda path: load_checkpoint(torch.nn.Linear(1, 1), str(path))


def test_code_in_a_checkpoint_is_not_executed(tmp_path, read):
    target = tmp_path / 'executed'
    path = tmp_path / 'bad.pth'
    torch.save(dict(state_dict={}, bomb=Bomb(str(target))), path)
    with pytest.raises(CheckpointError, match="bad.pth' can't be read as a checkpoint"):
        read(path)
    assert not target.exists()
    with open(path, 'wb') as file:
        pickle.dump(Bomb(str(target)), file)
    with pytest.raises(CheckpointError):
        read(path)
    assert not target.exists()


def test_a_truncated_file_is_an_error(tmp_path, read):
    path = tmp_path / 'half.pth'
    torch.save(dict(state_dict=dict(a=torch.ones(1000))), path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match='it is damaged: its end is missing'):
        read(path)


def test_a_missing_file_is_an_error(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="none.pth' does not exist"):
        read(tmp_path / 'none.pth')


def test_a_file_without_a_dict_is_an_error(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match='holds a list'):
        read_checkpoint(tmp_path / 'list.pth')
