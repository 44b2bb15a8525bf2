"""What is known about an item stays apart from what a model adds."""

import pytest
import torch

from hplreid.structures import ReIDDataSample

META = dict(
    pid=7,
    label=0,
    camid=2,
    split='query',
    source='market1501',
    sample_idx=3,
    img_path=None,
    caption='a woman in a red coat',
)


@pytest.fixture
def sample():
    return ReIDDataSample(metainfo=META)


def test_metainfo_is_kept_apart_from_features(sample):
    sample.i2i_feat = torch.ones(4)
    assert set(sample.metainfo_keys()) == set(META)
    assert sample.keys() == ['i2i_feat']
    assert sample.pid == 7
    assert sample.img_path is None


def test_metainfo_cannot_be_overwritten_by_accident(sample):
    with pytest.raises(AttributeError, match='pid'):
        sample.pid = 8


def test_conversion_moves_features_and_leaves_metainfo(sample):
    sample.t2i_feat = torch.ones(4)
    half = sample.to(torch.float16)
    assert half.t2i_feat.dtype == torch.float16
    assert half.metainfo == META
    assert sample.t2i_feat.dtype == torch.float32
