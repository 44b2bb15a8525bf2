"""HoldOut: disjoint parts, reproducible draws, queries and gallery, error messages."""

from collections import Counter

import pytest
from mmengine.config import Config

from hplreid.datasets import HoldOut, MissingDataError
from hplreid.datasets.joint.hold_out import _choose_queries
from hplreid.engine.config.check import find_problems
from hplreid.engine.config.resolve import fill_num_ids
from hplreid.evaluation.metrics import RetrievalMetric
from hplreid.registry import DATASETS
from tests.benchmark_trees import make_icfg_pedes
from tests.helpers import make_cuhk_pedes, make_market


@pytest.fixture(scope='module')
def trees(tmp_path_factory):
    """Write ten training identities: with one caption, with two, and by 3 cameras."""
    root = tmp_path_factory.mktemp('trees')
    identities = {
        'train': [f'train/{pid:04d}' for pid in range(10)],
        'test': ['test/0001'],
    }
    make_icfg_pedes(root / 'icfg', identities)
    make_cuhk_pedes(root / 'cuhk', num_ids=10)
    make_market(root / 'market', num_ids=10, images_per_id=5, num_cameras=3)
    return {
        'icfg': dict(type='ICFGPEDES', data_root=str(root / 'icfg'), expected=None),
        'cuhk': dict(type='CUHKPEDES', data_root=str(root / 'cuhk'), expected=None),
        'market': dict(
            type='Market1501', data_root=str(root / 'market'), expected=None
        ),
    }


def items_of(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def pids_of(dataset):
    return {item['pid'] for item in items_of(dataset)}


@pytest.mark.parametrize('name', ['icfg', 'cuhk', 'market'])
def test_parts_are_disjoint_and_complete(trees, name):
    whole = DATASETS.build(trees[name])
    train = HoldOut(trees[name], 'train', 0.3)
    val = HoldOut(trees[name], 'val', 0.3)
    assert not pids_of(train) & pids_of(val)
    assert pids_of(train) | pids_of(val) == pids_of(whole)
    assert (train.num_ids, val.num_ids) == (7, 3)
    assert len(pids_of(val)) == 3
    assert set(val.labels.tolist()) == {-1}
    paths = [{i['img_path'] for i in items_of(d)} - {None} for d in (train, val)]
    assert not paths[0] & paths[1]
    assert len(paths[0]) + len(paths[1]) == whole.num_images


@pytest.mark.parametrize('name', ['icfg', 'cuhk', 'market'])
def test_labels_are_contiguous_and_in_metainfo(trees, name):
    train = HoldOut(trees[name], 'train', 0.3)
    assert set(train.labels.tolist()) == set(range(7))
    label_of = train.metainfo['label_of']
    assert sorted(label_of.values()) == list(range(7))
    assert all(label_of[i['pid']] == i['label'] for i in items_of(train))
    assert train.metainfo['split'] == 'train'
    assert HoldOut(trees[name], 'val', 0.3).metainfo['label_of'] == {}


def test_train_keeps_the_order_of_the_whole_dataset(trees):
    train = HoldOut(trees['cuhk'], 'train', 0.3)
    keys = ('img_path', 'caption', 'pid', 'camid', 'source', 'split')
    kept = pids_of(train)
    expected = [
        tuple(i[k] for k in keys)
        for i in items_of(DATASETS.build(trees['cuhk']))
        if i['pid'] in kept
    ]
    assert [tuple(i[k] for k in keys) for i in items_of(train)] == expected


def test_held_out_identities_depend_on_the_seed(trees):
    def held_out(seed):
        return pids_of(HoldOut(trees['icfg'], 'val', 0.3, seed))

    assert held_out(0) == held_out(0)
    assert len({frozenset(held_out(seed)) for seed in range(6)}) > 1
    # Must not depend on the NumPy version or the machine
    assert held_out(0) == {2, 4, 6}


def test_t2i_queries_are_captions(trees):
    val = HoldOut(trees['cuhk'], 'val', 0.2)
    items = items_of(val)
    gallery = [i for i in items if i['split'] == 'gallery']
    queries = [i for i in items if i['split'] == 'query']
    assert len(items) == len(gallery) + len(queries)
    assert len({i['img_path'] for i in gallery}) == len(gallery) == 2 * 2
    assert all(i['caption'] is None for i in gallery)
    assert len(queries) == 2 * 2 * 2  # identities, images, captions
    assert all(i['caption'] and i['img_path'] is None for i in queries)
    RetrievalMetric('t2i').check_dataset(val)


def test_i2i_queries_have_matches_by_other_cameras(trees):
    val = HoldOut(trees['market'], 'val', 0.3)
    items = items_of(val)
    queries = [i for i in items if i['split'] == 'query']
    gallery = [i for i in items if i['split'] == 'gallery']
    assert len(queries) + len(gallery) == len(items) == 3 * 5
    # Cameras 0, 1, 2, 0, 1 of each: 0 and 1 still have an image, 2 would have none
    # left itself but its query has matches by the others
    counts = Counter((i['pid'], i['camid']) for i in queries)
    assert set(counts.values()) == {1}
    for query in queries:
        assert any(
            g['pid'] == query['pid'] and g['camid'] != query['camid'] for g in gallery
        )
    RetrievalMetric('i2i').check_dataset(val)


@pytest.mark.parametrize(
    ('cameras', 'queries'),
    [
        ([0], set()),
        ([3, 3, 3], set()),
        ([0, 1], {0}),
        ([1, 0], {1}),  # the lower camera first
        ([0, 0, 1], {0}),
        ([0, 0, 1, 1], {0, 2}),
        ([0, 1, 2], {0, 1}),
        ([0, 1, 2, 0, 1], {0, 1, 2}),
        ([2, 2, 0, 0, 1, 1], {2, 4, 0}),
    ],
)
def test_choose_queries(cameras, queries):
    assert _choose_queries(cameras) == queries


def test_joint_dataset_needs_a_task(trees):
    joint = dict(
        type='JointDataset', t2i=trees['cuhk'], i2i=trees['market'], leak='none'
    )
    with pytest.raises(ValueError, match="set task='t2i' or task='i2i'"):
        HoldOut(joint, 'val', 0.3)
    train = HoldOut(joint, 'train', 0.3)
    assert train.num_ids == 14
    for task, metric in (
        ('t2i', RetrievalMetric('t2i')),
        ('i2i', RetrievalMetric('i2i')),
    ):
        val = HoldOut(joint, 'val', 0.3, task=task)
        metric.check_dataset(val)
        of_task = [
            i for i in items_of(train) if (i['caption'] is None) == (task == 'i2i')
        ]
        assert not {i['pid'] for i in of_task} & pids_of(val)


def test_num_ids_of_the_model(trees):
    config = Config(
        dict(
            model=dict(type='DualEncoder'),
            train_dataloader=dict(
                dataset=dict(
                    type='HoldOut', dataset=trees['icfg'], part='train', fraction=0.3
                )
            ),
            train_cfg={},
        )
    )
    fill_num_ids(config)
    assert config.model.num_ids == 7


def test_pipeline_is_applied(trees):
    val = HoldOut(trees['icfg'], 'val', 0.3, pipeline=[lambda item: item['split']])
    assert {val[i] for i in range(len(val))} == {'query', 'gallery'}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(part='test'), "part='test': expected one of"),
        (dict(part='val', task='i2t'), "task='i2t': expected one of"),
        (dict(part='train', task='t2i'), "task='t2i': part 'train'"),
        (dict(part='val', fraction=0), r'fraction=0: expected a number in \(0, 1\)'),
        (dict(part='val', fraction=1.0), r'fraction=1\.0: expected'),
        (dict(part='val', fraction=0.01), r'fraction=0\.01 of 10 identities is 0'),
        (dict(part='train', fraction=0.99), r'fraction=0\.99 of 10 identities is 10'),
        (dict(part='val', task='i2i'), "no item for task='i2i'"),
    ],
)
def test_invalid_options(trees, options, message):
    with pytest.raises(ValueError, match=message):
        HoldOut(trees['icfg'], **options)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            dict(split='test'),
            "dataset.split='test': identities are held out of 'train'",
        ),
        (dict(pipeline=[dict(type='LoadImage')]), 'dataset.pipeline: set'),
    ],
)
def test_dataset_must_be_a_training_set_without_pipeline(trees, change, message):
    with pytest.raises(ValueError, match=message):
        HoldOut({**trees['icfg'], **change}, 'val')


def test_i2i_needs_two_known_cameras(tmp_path):
    for pid in range(4):
        make_market(
            tmp_path / 'm', num_ids=1, images_per_id=2, num_cameras=1, first_pid=pid + 1
        )
    market = dict(type='Market1501', data_root=str(tmp_path / 'm'), expected=None)
    with pytest.raises(
        ValueError, match='none of the 2 identities .* seen by two cameras'
    ):
        HoldOut(market, 'val', 0.5)
    folder = tmp_path / 'own' / 'train'
    for pid in range(4):
        (folder / f'{pid}').mkdir(parents=True)
        source = next((tmp_path / 'm' / 'bounding_box_train').iterdir())
        (folder / f'{pid}' / 'a.jpg').write_bytes(source.read_bytes())
    own = dict(type='FolderDataset', data_root=str(tmp_path / 'own'))
    with pytest.raises(ValueError, match='2 of 2 images of own have no camera'):
        HoldOut(own, 'val', 0.5)


def test_missing_data_is_found_by_the_config_check(tmp_path):
    whole = dict(type='ICFGPEDES', data_root=str(tmp_path / 'nowhere'))
    loader = dict(dataset=dict(type='HoldOut', dataset=whole, part='train'))
    (problem,) = find_problems(Config(dict(train_dataloader=loader)))
    assert 'nowhere' in problem
    loader['dataset']['part'] = 'all'
    problems = find_problems(Config(dict(train_dataloader=loader)))
    assert any("part='all'" in problem for problem in problems)
    with pytest.raises(MissingDataError, match='nowhere'):
        HoldOut(whole, 'train')
