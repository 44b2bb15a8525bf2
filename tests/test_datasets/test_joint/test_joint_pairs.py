"""JointDataset with other pairs, counted by hand on constructed overlaps.

MSMT17 here: training identities 0-2, four images each; test identities 0 and 1 (10000
and 10001). ICFG-PEDES: two images of each of the identities in :data:`ICFG`.
"""

import os

import pytest

from hplreid.datasets import JointDataset
from hplreid.datasets.joint.identity_matching import (
    IDENTITY_MATCHERS,
    UNMATCHABLE_PAIRS,
)
from tests.benchmark_trees import (
    make_cuhk03_np,
    make_duke,
    make_icfg_pedes,
    make_merged_msmt17,
    make_msmt17,
    make_rstpreid,
    msmt17_name,
)
from tests.helpers import make_cuhk_pedes

ICFG = {
    # 0: in training of both. 1: in MSMT17's test. 2: in no list of this MSMT17
    'train': ['train/0001', 'test/0001', 'train/0007'],
    # 3, 4: in MSMT17's training, 4 as its identity 0. 5: in test of both
    'test': ['train/0002', 'train/0000', 'test/0000'],
}


@pytest.fixture
def configs(tmp_path):
    icfg = make_icfg_pedes(tmp_path / 'icfg', ICFG)
    msmt = make_msmt17(tmp_path / 'msmt')
    return {
        't2i': {'type': 'ICFGPEDES', 'data_root': str(icfg), 'expected': None},
        'i2i': {'type': 'MSMT17', 'data_root': str(msmt), 'expected': None},
    }


def items_of(joint, captioned):
    items = [joint.get_data_info(i) for i in range(len(joint))]
    return [i for i in items if (i['caption'] is not None) == captioned]


def pids(joint, captioned):
    return [i['pid'] for i in items_of(joint, captioned)]


def test_leak_none(configs):
    joint = JointDataset(**configs, leak='none')
    assert (joint.report.t2i_total, joint.report.i2i_total) == (6, 12)
    assert len(joint) == 18
    assert joint.metainfo['label_of'] == {
        't2i:0': 0,
        't2i:1': 1,
        't2i:2': 2,
        'i2i:0': 3,
        'i2i:1': 0,
        'i2i:2': 4,
    }
    assert joint.report.merged_ids == 1


def test_leak_identity(configs):
    joint = JointDataset(**configs, leak='identity')
    assert pids(joint, captioned=True) == [0, 0, 2, 2]
    assert pids(joint, captioned=False) == [1, 1, 1, 1]
    assert joint.report.t2i_reasons == {'MSMT17 test': 2}
    assert joint.report.i2i_reasons == {'ICFG-PEDES test': 8}
    assert joint.metainfo['label_of'] == {'t2i:0': 0, 't2i:2': 1, 'i2i:1': 0}


def test_leak_identity_removes_every_test_identity(configs):
    joint = JointDataset(**configs, leak='identity')
    # Computed independently: part and folder are MSMT17's identity
    trained = {
        tuple(os.path.dirname(i['img_path']).split(os.sep)[-2:])
        for i in items_of(joint, captioned=True) + items_of(joint, captioned=False)
    }
    tested = {tuple(folder.split('/')) for folder in ICFG['test']}
    tested |= {('test', '0000'), ('test', '0001')}
    assert trained == {('train', '0001'), ('train', '0007')}
    assert not trained & tested


def test_identity_0_is_ordinary_without_distractors(configs, tmp_path):
    # ICFG-PEDES numbers identities in this order: train/0000 becomes identity 0
    identities = {'test': ['train/0000'], 'train': ['train/0001']}
    icfg = make_icfg_pedes(tmp_path / 'again', identities)
    configs['t2i']['data_root'] = str(icfg)
    joint = JointDataset(**configs, leak='identity')
    assert sorted(set(pids(joint, captioned=False))) == [1, 2]
    assert joint.report.i2i_reasons == {'ICFG-PEDES test': 4}


def test_leak_image(configs, tmp_path):
    icfg, msmt = tmp_path / 'icfg', tmp_path / 'msmt'
    # ICFG-PEDES trains on a gallery image of MSMT17, renamed but with equal bytes ...
    copy = icfg / 'imgs' / 'test' / msmt17_name(1, 100, 3)
    copy.write_bytes((msmt / 'test' / msmt17_name(1, 15, 15)).read_bytes())
    # ... and tests on a training image of it, encoded again with the same name ...
    _rename(icfg, f'train/{msmt17_name(2, 100, 3)}', f'train/{msmt17_name(2, 1, 2)}')
    # ... while this image has the name of a query, but another identity
    _rename(icfg, f'train/{msmt17_name(1, 100, 3)}', f'train/{msmt17_name(1, 14, 14)}')
    joint = JointDataset(**configs, leak='image')
    assert joint.report.t2i_reasons == {'MSMT17 test': 1}
    assert joint.report.i2i_reasons == {'ICFG-PEDES test': 1}
    assert pids(joint, captioned=True) == [1, 0, 0, 2, 2]
    assert pids(joint, captioned=False) == [0] * 4 + [1] * 4 + [2] * 3


@pytest.mark.parametrize(
    ('protect', 'captions', 'images'),
    [
        (['i2i'], {'MSMT17 test': 2}, {}),  # MSMT17's scores
        (['t2i'], {}, {'ICFG-PEDES test': 8}),  # those of ICFG-PEDES
        (['t2i', 'i2i'], {'MSMT17 test': 2}, {'ICFG-PEDES test': 8}),
    ],
)
def test_one_task_alone_can_be_protected(configs, protect, captions, images):
    joint = JointDataset(**configs, leak='identity', protect=protect)
    assert joint.report.t2i_reasons == captions
    assert joint.report.i2i_reasons == images


def test_rules_on_the_layout_of_icfg_pedes(tmp_path):
    """ICFG-PEDES has some of the images of MSMT17's identities, by their own names.

    Computed by hand: MSMT17 trains on identities 0 to 2 of train/ (four images each)
    and tests on 0 and 1 of test/.
    """
    msmt = make_msmt17(tmp_path / 'msmt')
    icfg = make_icfg_pedes(
        tmp_path / 'icfg',
        {'train': ['train/0001', 'test/0000'], 'test': ['train/0000', 'test/0001']},
    )
    for part, pid in (('train', 1), ('test', 0), ('train', 0), ('test', 1)):
        own = sorted((icfg / 'imgs' / part / f'{pid:04d}').iterdir())
        theirs = sorted((msmt / part / f'{pid:04d}').iterdir())
        for old, new in zip(own, theirs, strict=False):
            _rename(
                icfg, f'{part}/{pid:04d}/{old.name}', f'{part}/{pid:04d}/{new.name}'
            )
    configs = {
        't2i': {'type': 'ICFGPEDES', 'data_root': str(icfg), 'expected': None},
        'i2i': {'type': 'MSMT17', 'data_root': str(msmt), 'expected': None},
    }
    image = JointDataset(**configs, leak='image').report
    identity = JointDataset(**configs, leak='identity').report
    # All images of test/0000 are in MSMT17's test split, whatever the rule
    assert image.t2i_reasons == identity.t2i_reasons == {'MSMT17 test': 2}
    # Of train/0000 two images are in ICFG-PEDES's test split, the other two aren't
    assert image.i2i_reasons == {'ICFG-PEDES test': 2}
    assert identity.i2i_reasons == {'ICFG-PEDES test': 4}


def _rename(root, old, new):
    (root / 'imgs' / old).rename(root / 'imgs' / new)
    file = root / 'ICFG-PEDES.json'
    file.write_text(file.read_text().replace(old, new))


def test_with_val_false_removes_val_of_msmt17(configs):
    configs['i2i']['with_val'] = False
    joint = JointDataset(**configs, leak='identity')
    assert pids(joint, captioned=False) == [1, 1, 1]


def test_renumbered_copy_is_refused(configs, tmp_path):
    configs['i2i']['data_root'] = str(make_merged_msmt17(tmp_path / 'merged'))
    for options in (
        {'leak': 'identity'},
        {'leak': 'image', 'labels': 'disjoint'},
        {'leak': 'none'},
    ):
        with pytest.raises(ValueError, match='identities may be renumbered'):
            JointDataset(**configs, **options)
    joint = JointDataset(**configs, leak='none', labels='disjoint')
    assert joint.num_ids == 6


def test_image_outside_the_folders_of_msmt17(configs, tmp_path):
    old = f'train/{msmt17_name(1, 100, 3)}'
    (tmp_path / 'icfg' / 'imgs' / 'other' / '0001').mkdir(parents=True)
    _rename(tmp_path / 'icfg', old, old.replace('train/', 'other/'))
    with pytest.raises(ValueError, match='has no MSMT17 identity'):
        JointDataset(**configs, leak='none')


def test_rstpreid_and_duke_are_disjoint(tmp_path):
    joint = JointDataset(
        t2i=dict(
            type='RSTPReid', data_root=str(make_rstpreid(tmp_path / 't')), expected=None
        ),
        i2i=dict(
            type='DukeMTMCReID', data_root=str(make_duke(tmp_path / 'i')), expected=None
        ),
    )
    assert joint.num_ids == 2 + 3
    assert joint.report.merged_ids == 0
    assert len(joint) == 2 * 3 * 2 + 3 * 2


PAIRS = {
    'rstp-msmt17': (('RSTPReid', make_rstpreid), ('MSMT17', make_msmt17)),
    'cuhk-cuhk03': (('CUHKPEDES', make_cuhk_pedes), ('CUHK03NP', make_cuhk03_np)),
}


@pytest.mark.parametrize('pair', PAIRS.values(), ids=PAIRS)
def test_unmatchable_pairs(pair, tmp_path):
    t2i, i2i = (
        {'type': kind, 'data_root': str(make(tmp_path / kind)), 'expected': None}
        for kind, make in pair
    )
    with pytest.raises(ValueError, match='share identities.*leak is not set'):
        JointDataset(t2i=t2i, i2i=i2i)
    for leak in ('image', 'identity'):
        with pytest.raises(ValueError, match=f"leak='{leak}' is impossible"):
            JointDataset(t2i=t2i, i2i=i2i, leak=leak)
        (problem,) = JointDataset.find_problems(t2i=t2i, i2i=i2i, leak=leak)
        assert 'cannot be matched' in problem
    joint = JointDataset(t2i=t2i, i2i=i2i, leak='none')
    assert joint.report.t2i_removed == joint.report.i2i_removed == 0


def test_pairs_are_either_matchable_or_unmatchable():
    assert not set(IDENTITY_MATCHERS) & set(UNMATCHABLE_PAIRS)
