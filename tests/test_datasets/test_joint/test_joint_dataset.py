"""JointDataset: labels and removed leaks, counted by hand on a constructed overlap.

CUHK-PEDES here: identities 1-4 train, 5 val, 6 and 7 test, two images each with two
captions. Market-1501: 1-4 train (four images each), 5 and 6 test, 0 distractor.
:data:`MARKET` maps identities of the first to the second.
"""

import pytest

from hplreid.datasets import JointDataset, Market1501, MissingDataError
from hplreid.registry import DATASETS
from tests.helpers import make_cuhk_pedes, make_market, market_name

# 1: in training of both. 2: in CUHK's training and Market's test. 6: in CUHK's test,
# Market's training. 7: in test of both. 3: a second identity for Market's 1.
MARKET = {1: 1, 2: 5, 3: 1, 6: 3, 7: 6}


@pytest.fixture
def configs(tmp_path):
    market = make_market(tmp_path / 'market')
    shared = [
        market / 'bounding_box_test' / market_name(5, 1, 1),  # CUHK-PEDES trains on it
        market / 'bounding_box_train' / market_name(3, 1, 0),  # and tests on this
    ]
    cuhk = make_cuhk_pedes(tmp_path / 'cuhk', market=MARKET, market_files=shared)
    return {
        't2i': {'type': 'CUHKPEDES', 'data_root': str(cuhk), 'expected': None},
        'i2i': {'type': 'Market1501', 'data_root': str(market), 'expected': None},
    }


def pids(dataset, captioned):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [i['pid'] for i in items if (i['caption'] is not None) == captioned]


def test_items_and_unified_labels(configs):
    joint = JointDataset(**configs, leak='none')
    assert len(joint) == 4 * 2 * 2 + 4 * 4
    assert joint.has_caption.tolist() == [True] * 16 + [False] * 16
    # 1, 3 and Market's 1 share a label; Market's 5 (test) has none
    assert joint.metainfo['label_of'] == {
        't2i:1': 0,
        't2i:2': 1,
        't2i:3': 0,
        't2i:4': 2,
        'i2i:1': 0,
        'i2i:2': 3,
        'i2i:3': 4,
        'i2i:4': 5,
    }
    assert joint.num_ids == 6
    assert joint.report.merged_ids == 2
    assert joint.metainfo['dataset_name'] == 'CUHK-PEDES+Market-1501'
    for index in range(len(joint)):
        item = joint.get_data_info(index)
        task = 't2i' if item['caption'] else 'i2i'
        assert item['sample_idx'] == index
        assert item['label'] == joint.metainfo['label_of'][f'{task}:{item["pid"]}']
        assert item['label'] == joint.labels[index]
        assert item['source'] == ('CUHK-PEDES' if task == 't2i' else 'Market-1501')


def test_disjoint_labels(configs):
    joint = JointDataset(**configs, leak='none', labels='disjoint')
    assert list(joint.metainfo['label_of'].values()) == list(range(8))
    assert joint.num_ids == 8
    assert joint.report.merged_ids == 0


def test_leak_identity(configs):
    joint = JointDataset(**configs, leak='identity')
    # 2 is Market's test identity 5; Market's 3 is CUHK's test identity 6
    assert sorted(set(pids(joint, captioned=True))) == [1, 3, 4]
    assert sorted(set(pids(joint, captioned=False))) == [1, 2, 4]
    assert (joint.report.t2i_removed, joint.report.t2i_total) == (4, 16)
    assert (joint.report.i2i_removed, joint.report.i2i_total) == (4, 16)
    assert joint.report.t2i_reasons == {'Market-1501 test': 4}
    assert joint.report.i2i_reasons == {'CUHK-PEDES test': 4}
    assert sorted(set(joint.labels.tolist())) == list(range(joint.num_ids))
    assert joint.num_ids == 4


@pytest.mark.parametrize('aliases', [MARKET, {2: 6, 7: 6, 5: 4, 1: 3, 3: 3}])
def test_leak_identity_removes_every_held_out_identity(configs, tmp_path, aliases):
    cuhk = make_cuhk_pedes(tmp_path / 'again', market=aliases)
    configs['t2i']['data_root'] = str(cuhk)
    joint = JointDataset(**configs, leak='identity')
    # Computed independently: a name for every person
    held_out = {f'market {pid}' for pid in (5, 6)}
    held_out |= {_name(pid, aliases) for pid in (5, 6, 7)}
    trained = {_name(pid, aliases) for pid in pids(joint, captioned=True)}
    trained |= {f'market {pid}' for pid in pids(joint, captioned=False)}
    assert trained
    assert not trained & held_out


def _name(cuhk_pid, aliases):
    return f'market {aliases[cuhk_pid]}' if cuhk_pid in aliases else f'cuhk {cuhk_pid}'


def test_leak_identity_includes_val(configs, tmp_path):
    # 5 is in CUHK's val and in Market's training
    cuhk = make_cuhk_pedes(tmp_path / 'other', market={5: 4, 1: 2})
    configs['t2i']['data_root'] = str(cuhk)
    joint = JointDataset(**configs, leak='identity')
    assert sorted(set(pids(joint, captioned=False))) == [1, 2, 3]
    assert joint.report.i2i_reasons == {'CUHK-PEDES val': 4}
    assert joint.report.t2i_reasons == {}
    # leak='image' only considers test splits
    assert JointDataset(**configs, leak='image').report.i2i_removed == 0


def test_empty_val_is_allowed_and_empty_test_is_not(configs, tmp_path):
    cuhk = make_cuhk_pedes(tmp_path / 'other', num_val_ids=0, market={5: 4})
    configs['t2i']['data_root'] = str(cuhk)
    joint = JointDataset(**configs, leak='identity')
    assert joint.report.i2i_reasons == {'CUHK-PEDES test': 4}
    cuhk = make_cuhk_pedes(tmp_path / 'none', num_val_ids=0, num_test_ids=0)
    configs['t2i']['data_root'] = str(cuhk)
    with pytest.raises(MissingDataError, match="split 'test' .* is empty"):
        JointDataset(**configs, leak='identity')


def test_every_reason_is_counted_and_logged(configs, tmp_path, monkeypatch):
    # 2 is Market's 6, in both test splits; 1 is Market's 5, in Market's test only
    cuhk = make_cuhk_pedes(tmp_path / 'other', market={2: 6, 7: 6, 1: 5, 5: 2, 6: 2})
    configs['t2i']['data_root'] = str(cuhk)
    logged = []
    monkeypatch.setattr(
        'hplreid.datasets.joint.joint_dataset.log',
        lambda text, **_: logged.append(text),
    )
    report = JointDataset(**configs, leak='identity').report
    assert report.t2i_reasons == {
        'CUHK-PEDES test and Market-1501 test': 4,
        'Market-1501 test': 4,
    }
    assert report.i2i_reasons == {'CUHK-PEDES val and CUHK-PEDES test': 4}
    assert (
        'removed 8 of 16 captioned items (4 in CUHK-PEDES test and Market-1501 test, '
        '4 in Market-1501 test) and 4 of 16 images (4 in CUHK-PEDES val and '
        'CUHK-PEDES test): identities in a held-out split.'
    ) in logged[0]


def test_leak_identity_follows_aliases(configs, tmp_path):
    # 3 and 2 are both Market's 5, so 3 is removed although it has no
    # image in Market's test split itself
    cuhk = make_cuhk_pedes(tmp_path / 'other', market={2: 5, 3: 5, 1: 3, 6: 3})
    configs['t2i']['data_root'] = str(cuhk)
    joint = JointDataset(**configs, leak='identity')
    assert sorted(set(pids(joint, captioned=True))) == [4]
    assert sorted(set(pids(joint, captioned=False))) == [1, 2, 4]


def test_leak_image(configs):
    joint = JointDataset(**configs, leak='image')
    # One image each: with two captions in CUHK, without in Market
    assert joint.report.t2i_removed == 2
    assert joint.report.i2i_removed == 1
    assert joint.report.t2i_reasons == {'Market-1501 test': 2}
    assert joint.report.i2i_reasons == {'CUHK-PEDES test': 1}
    assert pids(joint, captioned=True).count(2) == 2
    assert pids(joint, captioned=False).count(3) == 3
    assert joint.num_ids == 6


def test_leak_image_by_name(configs, tmp_path):
    # The same image encoded again is recognized by its name
    cuhk = tmp_path / 'cuhk'
    folder = cuhk / 'imgs' / 'Market'
    train = folder / market_name(5, 1, 121)
    json = cuhk / 'reid_raw.json'
    renamed = market_name(5, 2, 1)
    train.rename(folder / renamed)
    json.write_text(json.read_text().replace(train.name, renamed))
    joint = JointDataset(**configs, leak='image')
    assert joint.report.t2i_removed == 4


def test_leak_is_required_for_overlapping_pairs(configs):
    with pytest.raises(
        ValueError, match="CUHK-PEDES and Market-1501 share.*'identity'"
    ):
        JointDataset(**configs)
    assert "leak='image'" in JointDataset.find_problems(**configs)[0]


def test_pair_without_known_overlap(configs, monkeypatch):
    class OwnSet(Market1501):
        benchmark = 'Own'

    monkeypatch.setitem(DATASETS.module_dict, 'OwnSet', OwnSet)
    configs['i2i']['type'] = 'OwnSet'
    joint = JointDataset(**configs)
    assert joint.num_ids == 8
    assert joint.report.t2i_removed == joint.report.i2i_removed == 0
    with pytest.raises(ValueError, match='identities of CUHK-PEDES and Own correspond'):
        JointDataset(**configs, leak='identity')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'leak': 'all'}, "leak must be one of .*'identity'.*got 'all'"),
        ({'leak': 'identity', 'protect': 't2i'}, "protect='t2i': expected any of"),
        ({'leak': 'identity', 'protect': []}, 'protect=.*expected any of'),
        ({'leak': 'none', 'protect': ['i2i']}, "leak='none' removes nothing"),
        ({'leak': 'none', 'labels': 'same'}, "labels must be 'unified' or 'disjoint'"),
    ],
)
def test_invalid_options(configs, options, message):
    with pytest.raises(ValueError, match=message):
        JointDataset(**configs, **options)


def test_invalid_options_of_the_parts(configs):
    configs['t2i']['pipeline'] = [{'type': 'LoadImage'}]
    with pytest.raises(ValueError, match='t2i.pipeline: set .* of the JointDataset'):
        JointDataset(**configs, leak='none')
    del configs['t2i']['pipeline']
    configs['i2i']['split'] = 'test'
    with pytest.raises(ValueError, match=r"i2i.split must be 'train', got 'test'"):
        JointDataset(**configs, leak='none')
    configs['i2i'] = {'type': 'JointDataset'}
    with pytest.raises(ValueError, match='must be datasets on disk, got JointDataset'):
        JointDataset(**configs, leak='none')


def test_problems_of_both_are_found(configs, tmp_path):
    (tmp_path / 'cuhk' / 'reid_raw.json').unlink()
    (tmp_path / 'market' / 'query').rename(tmp_path / 'market' / 'queries')
    problems = JointDataset.find_problems(**configs, leak='identity')
    assert len(problems) == 2
    assert 'reid_raw.json' in problems[0]
    assert "query' does not exist" in problems[1]
    # leak='none' doesn't need the test split
    assert len(JointDataset.find_problems(**configs, leak='none')) == 1
    with pytest.raises(MissingDataError, match='reid_raw(.|\n)*query'):
        JointDataset(**configs, leak='identity')


def test_market_image_without_number(configs, tmp_path):
    cuhk = tmp_path / 'cuhk'
    old = cuhk / 'imgs' / 'Market' / market_name(1, 1, 110)
    old.rename(old.with_name('p1.jpg'))
    json = cuhk / 'reid_raw.json'
    json.write_text(json.read_text().replace(old.name, 'p1.jpg'))
    with pytest.raises(ValueError, match=r'p1.jpg. is in Market/ but its name'):
        JointDataset(**configs, leak='none')


def test_verify(configs, tmp_path):
    bad = tmp_path / 'market' / 'bounding_box_train' / market_name(1, 1, 0)
    bad.write_bytes(b'no image')
    assert len(JointDataset(**configs, leak='none')) == 32
    with pytest.raises(ValueError, match=f'1 of 24 .*{bad.name}'):
        JointDataset(**configs, leak='none', verify=True)
