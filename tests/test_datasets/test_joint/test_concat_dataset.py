"""ConcatReIDDataset: labels, identities and cameras stay distinct; error messages."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from hplreid.datasets import (
    CaptionSampler,
    ConcatReIDDataset,
    FolderDataset,
    IdentitySampler,
    JointSampler,
    MissingDataError,
    UnreadableImageError,
)
from hplreid.datasets.joint import concat_dataset as concat_module
from hplreid.engine.config import resolve
from hplreid.engine.config.check import find_problems
from tests.helpers import make_cuhk_pedes, make_market, write_image


@pytest.fixture
def market(tmp_path):
    """Write three training identities with images by two cameras, and two for test."""
    root = make_market(tmp_path / 'market', num_ids=3, images_per_id=2, first_pid=5)
    return dict(type='Market1501', data_root=str(root), name='m', expected=None)


@pytest.fixture
def cuhk(tmp_path):
    """Write two training identities with two captions per image, and one for test."""
    root = make_cuhk_pedes(tmp_path / 'cuhk', num_ids=2, num_test_ids=1)
    return dict(type='CUHKPEDES', data_root=str(root), name='c', expected=None)


@pytest.fixture
def own(tmp_path):
    """Write a training identity, camera 4; the test identity has the same name."""
    root = tmp_path / 'own'
    for name in ('train/x/_c4.jpg', 'query/x/_c0.jpg', 'gallery/x/_c1.jpg'):
        write_image(root / name, name)
    return dict(type='FolderDataset', data_root=str(root), camera=r'_c(\d+)')


def fields(dataset, *keys):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [tuple(item[key] for key in keys) for item in items]


def test_labels_identities_and_cameras_are_distinct(market, cuhk, own):
    dataset = ConcatReIDDataset([market, cuhk, own])
    assert fields(dataset, 'source', 'pid', 'label', 'camid') == [
        *[('m', pid, pid - 5, camid) for pid in (5, 6, 7) for camid in (0, 1)],
        *[('c', 8 + pid, 2 + pid, -1) for pid in (1, 2) for _ in range(4)],
        ('own', 11, 5, 2 + 4),
    ]
    assert dataset.num_ids == 6
    assert dataset.num_images == 6 + 4 + 1
    assert dataset.labels.tolist() == [label for (label,) in fields(dataset, 'label')]
    assert dataset.has_caption.tolist() == [False] * 6 + [True] * 8 + [False]
    assert fields(dataset, 'sample_idx') == [(i,) for i in range(15)]
    assert dataset.metainfo == {
        'dataset_name': 'm+c+own',
        'split': 'train',
        'num_ids': 6,
        'label_of': {
            **{'m:5': 0, 'm:6': 1, 'm:7': 2, 'c:1': 3, 'c:2': 4},
            'own:x': 5,
        },
    }


def test_test_splits(market, own):
    dataset = ConcatReIDDataset([dict(market, split='test'), dict(own, split='test')])
    assert set(dataset.labels) == {-1}
    assert dataset.num_ids == 3 + 1  # with the distractors, identity 0
    queries = [t for t in fields(dataset, 'split', 'pid', 'camid') if t[0] == 'query']
    assert queries[-1] == ('query', 10, 2)
    pairs = set(fields(dataset, 'source', 'pid'))
    assert {source for source, _ in pairs} == {'m', 'own'}
    assert len({pid for _, pid in pairs}) == len(pairs)
    assert dataset.metainfo['label_of'] == {}


def test_joint_dataset_as_one_of_several(market, cuhk, own):
    joint = dict(type='JointDataset', t2i=cuhk, i2i=market, leak='none')
    dataset = ConcatReIDDataset([joint, own])
    assert dataset.num_ids == 6
    label_of = dataset.metainfo['label_of']
    assert sorted(label_of.values()) == list(range(6))
    assert label_of['own:x'] == 5
    assert label_of['c+m:t2i:1'] == 0


def test_nested_concatenation_equals_flat_one(market, cuhk, own):
    inner = dict(type='ConcatReIDDataset', datasets=[market, cuhk])
    nested = ConcatReIDDataset([inner, own])
    flat = ConcatReIDDataset([market, cuhk, own])
    keys = ('img_path', 'pid', 'label', 'camid', 'source', 'caption')
    assert fields(nested, *keys) == fields(flat, *keys)


def test_samplers_accept_the_dataset(market, cuhk):
    dataset = ConcatReIDDataset([market, cuhk])
    identity = IdentitySampler(dataset, 0, batch_size=8, num_instances=2)
    seen = set()
    for epoch in range(20):
        identity.set_epoch(epoch)
        indices = [index for index, _ in identity]
        labels = dataset.labels[indices].reshape(-1, 4, 2)
        assert (labels[..., 0] == labels[..., 1]).all()
        assert all(len(set(row)) == 4 for row in labels[..., 0].tolist())
        seen |= set(labels.ravel().tolist())
    assert seen == {0, 1, 2, 3, 4}
    caption = [index for index, _ in CaptionSampler(dataset, 0, batch_size=8)]
    assert sorted(caption) == np.flatnonzero(dataset.has_caption).tolist()
    joint = JointSampler(dataset, 0, num_pairs=4, num_ids=2, num_instances=2)
    rows = np.array([index for index, _ in joint]).reshape(-1, 8)
    assert dataset.has_caption[rows[:, :4]].all()
    assert not dataset.has_caption[rows[:, 4:]].any()


def test_pipeline_applies_to_all_items(market, own):
    seen = []
    dataset = ConcatReIDDataset([market, own], pipeline=[seen.append])
    dataset[6]
    assert seen[0]['source'] == 'own'


def test_counts_of_each_dataset_are_logged(market, cuhk, monkeypatch):
    messages = []
    monkeypatch.setattr(concat_module, 'log', lambda text, **_: messages.append(text))
    ConcatReIDDataset([market, cuhk])
    (text,) = messages
    assert "m+c, split 'train': 5 identities" in text
    assert 'm 3 (6 items, 0 with a caption)' in text
    assert 'c 2 (8 items, 8 with a caption)' in text


def test_duplicate_data_is_an_error(market, own, tmp_path):
    with pytest.raises(ValueError, match=r'datasets\.1 is the same as one before'):
        ConcatReIDDataset([market, market])
    with pytest.raises(ValueError, match="'m' and 'n' share 6 images"):
        ConcatReIDDataset([market, own, dict(market, name='n')])
    link = tmp_path / 'link'
    link.symlink_to(market['data_root'])
    with pytest.raises(ValueError, match="'m' and 'n' share 6 images"):
        ConcatReIDDataset([market, dict(market, name='n', data_root=str(link))])


def test_names_must_differ(market, own):
    with pytest.raises(ValueError, match="Two datasets have the name 'own'.*name="):
        ConcatReIDDataset([dict(market, name='own'), own])


def test_invalid_options(market, own):
    for datasets, message in (
        ([], 'datasets is empty'),
        ([market, dict(own, pipeline=[1])], r'datasets\.1\.pipeline'),
        ([market, dict(own, split='test')], r"the same split, got \['test', 'train'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            ConcatReIDDataset(datasets)
        (problem,) = ConcatReIDDataset.find_problems(datasets=datasets)
        assert message.replace('\\', '') in problem


def test_missing_data_of_all_datasets_is_reported(market, own):
    market['data_root'] = '/nowhere/market'
    own['data_root'] = '/nowhere/own'
    table = dict(type='TableDataset', table='/nowhere/t.csv')
    config = dict(type='ConcatReIDDataset', datasets=[market, own, table])
    with pytest.raises(MissingDataError) as error:
        ConcatReIDDataset(config['datasets'])
    names = ('/nowhere/market', '/nowhere/own', '/nowhere/t.csv')
    assert all(name in str(error.value) for name in names)
    # Once each, although the check asks the dataset and its parts
    problems = find_problems(Config(dict(train_dataloader=dict(dataset=config))))
    assert len(problems) == 3


def test_verify(market, own):
    image = next(Path(own['data_root'], 'train').rglob('*.jpg'))
    image.write_bytes(b'')
    ConcatReIDDataset([market, own])
    with pytest.raises(UnreadableImageError, match='1 of 7 images'):
        ConcatReIDDataset([market, own], verify=True)


def test_num_ids_of_the_model(market, cuhk, own):
    whole = dict(type='ConcatReIDDataset', datasets=[market, cuhk, own])
    config = Config(
        dict(
            model=dict(type='DualEncoder'),
            train_dataloader=dict(dataset=whole),
            train_cfg={},
        )
    )
    resolve.fill_num_ids(config)
    assert config.model.num_ids == 6


def test_metainfo_is_json_serializable(market, own):
    metainfo = ConcatReIDDataset([market, own]).metainfo
    assert json.loads(json.dumps(metainfo)) == metainfo
    assert FolderDataset(own['data_root']).metainfo['label_of'] == {'x': 0}
