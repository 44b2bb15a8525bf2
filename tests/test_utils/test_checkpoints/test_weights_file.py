"""Weights and metadata come back as they were."""

import pytest
import torch

from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint
from hplreid.utils.checkpoints.weights_file import read_weights, write_weights


def test_round_trip(tmp_path):
    path = tmp_path / 'final.safetensors'
    table = torch.randn(4, 6)
    weights = {'a': table, 'tied': table, 'view': table[:, ::2], 'n': torch.tensor(3)}
    labels = {'t2i:1': 0, 7: 1, ('market1501', 9): 2}
    meta = dict(epoch=3, cfg='a = 1', dataset_meta=dict(label_of=labels, num_ids=3))
    write_weights(path, weights, meta)
    found = read_weights(path)
    assert found['meta'] == meta
    assert found['state_dict'].keys() == weights.keys()
    for name, value in weights.items():
        assert torch.equal(found['state_dict'][name], value)
    assert read_checkpoint(path)['meta'] == meta
    assert [file.name for file in tmp_path.iterdir()] == ['final.safetensors']
    other = tmp_path / 'other'  # who may read the one may read the other
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_a_damaged_file_is_said(tmp_path):
    path = tmp_path / 'final.safetensors'
    write_weights(path, {'a': torch.ones(100)}, {})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match='final.safetensors'):
        read_checkpoint(path)
