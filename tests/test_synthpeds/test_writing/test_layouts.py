"""Planned images and the layouts of Market-1501 and CUHK-PEDES."""

import json
import re

import pytest

from hplreid.synthpeds import SIZES
from hplreid.synthpeds.captions.caption import MAX_WORDS, MIN_WORDS
from hplreid.synthpeds.writing import plan_shots
from hplreid.synthpeds.writing.layouts import MARKET


def test_sizes_agree_on_the_identities_they_share():
    def market(size):
        return {
            (shot.identity_number, shot.image_index): path
            for shot in plan_shots(SIZES[size], 0)
            for path in shot.paths
            if path.startswith(MARKET) and not shot.junk
        }

    small, big = market('default'), market('large')
    assert small
    assert set(small.items()) <= set(big.items())


@pytest.mark.parametrize('size', sorted(SIZES))
def test_paths_are_unique_and_splits_share_no_identity(size):
    shots = plan_shots(SIZES[size], 0)
    paths = [path for shot in shots for path in shot.paths]
    assert len(set(paths)) == len(paths)
    splits = {'train': set(), 'val': set(), 'test': set(), 'gallery': set()}
    for shot in shots:
        for path in shot.paths:
            if 'bounding_box_train' in path:
                splits['train'].add(shot.identity_number)
            elif '/query/' in path:
                splits['test'].add(shot.identity_number)
            elif '/bounding_box_test/0000_' in path:
                splits['gallery'].add(shot.identity_number)
        if shot.split:
            splits[shot.split].add(shot.identity_number)
    names = list(splits)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert not splits[one] & splits[other]


def test_benchmark_and_pretraining_share_no_identity():
    benchmark = {
        s.identity_number for n in ('default', 'large') for s in plan_shots(SIZES[n], 0)
    }
    assert not benchmark & {s.identity_number for s in plan_shots(SIZES['pretrain'], 0)}


def test_market_layout(tiny):
    out, manifest = tiny
    size = SIZES['tiny']
    pattern = re.compile(r'^(-1|\d{4})_c([1-6])s[1-6]_\d{6}_\d{2}\.jpg$')
    pids, pids_and_cameras = {}, {}
    for folder in ('bounding_box_train', 'bounding_box_test', 'query'):
        names = [path.name for path in (out / MARKET / folder).iterdir()]
        assert all(pattern.match(name) for name in names)
        assert manifest['files'][f'{MARKET}/{folder}'] == len(names)
        pids[folder] = {int(name.split('_')[0]) for name in names}
        pids_and_cameras[folder] = [pattern.match(name).groups() for name in names]
    assert len(pids['bounding_box_train']) == size.train
    assert len(pids['query']) == size.test
    assert not pids['bounding_box_train'] & pids['query']
    assert pids['bounding_box_test'] == pids['query'] | {-1, 0}
    for pid, camera in pids_and_cameras[
        'query'
    ]:  # every query has a match from another camera
        others = {c for p, c in pids_and_cameras['bounding_box_test'] if p == pid}
        assert others - {camera}


def test_cuhk_layout(tiny):
    out, _ = tiny
    folder = out / 'CUHK-PEDES'
    records = json.loads((folder / 'reid_raw.json').read_text())
    keys = {'split', 'captions', 'file_path', 'processed_tokens', 'id'}
    assert all(set(record) == keys for record in records)
    ids = {split: set() for split in ('train', 'val', 'test')}
    for record in records:
        ids[record['split']].add(record['id'])
        assert (folder / 'imgs' / record['file_path']).is_file()
        assert len(record['captions']) == len(record['processed_tokens']) == 2
        for caption in record['captions']:
            assert MIN_WORDS <= len(caption.split()) <= MAX_WORDS
    joined = sorted(ids['train']) + sorted(ids['val']) + sorted(ids['test'])
    assert joined == list(range(1, len(joined) + 1))
    on_disk = sum(1 for _ in (folder / 'imgs').rglob('*.jpg'))
    assert on_disk == len(records)
    shared = [r for r in records if r['file_path'].startswith('Market/')]
    shared_pids = {r['file_path'].split('/')[1][:4] for r in shared}
    assert len(shared_pids) == SIZES['tiny'].shared
    for record in shared:  # the same files as in the other task
        name = record['file_path'].split('/')[1]
        twin = out / MARKET / 'bounding_box_train' / name
        assert (folder / 'imgs' / record['file_path']).read_bytes() == twin.read_bytes()
