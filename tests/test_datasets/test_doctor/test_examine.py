"""The doctor on whole datasets: ten planted faults, and what else is affected."""

import json
import shutil

import pytest
from PIL import Image

from hplreid.datasets.doctor import examine, find_split_configs, parse_dataset
from hplreid.synthpeds import make_synthpeds
from tests.doctor_splits import configs_of, summary_of
from tests.helpers import (
    make_cuhk_pedes,
    make_market,
    read_entries,
    write_entries,
    write_image,
)

MARKET, CUHK = 'Market-1501-v15.09.15', 'CUHK-PEDES'


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
    """Make SynthPeds."""
    out = tmp_path_factory.mktemp('doctor') / 'sound'
    make_synthpeds(out, 'tiny', workers=1, progress=False)
    return out


@pytest.fixture
def synthpeds(sound, tmp_path):
    """Copy SynthPeds, to be damaged."""
    return shutil.copytree(sound, tmp_path / 'synthpeds')


def configs_of_joint_training(root):
    """Return the splits of a config of joint training on both benchmarks."""
    i2i = {'type': 'Market1501', 'data_root': str(root / MARKET), 'expected': None}
    t2i = {'type': 'CUHKPEDES', 'data_root': str(root / CUHK), 'expected': None}
    joint = {'type': 'JointDataset', 'i2i': i2i, 't2i': t2i, 'leak': 'identity'}
    tests = [{**i2i, 'split': 'test'}, {**t2i, 'split': 'test'}]
    return find_split_configs([joint, *tests, {**t2i, 'split': 'val'}])


def plant_faults(root):
    """Plant ten faults; return the expected findings, each with an example."""
    market, images = root / MARKET, root / CUHK / 'imgs'
    train, query, gallery = (
        market / name for name in ('bounding_box_train', 'query', 'bounding_box_test')
    )

    def images_of(folder, pid):
        return sorted(folder.glob(f'{pid:04d}_*'))

    empty = images_of(train, 2)[0]
    empty.write_bytes(b'')
    cut = images_of(gallery, 3)[0]
    cut.write_bytes(cut.read_bytes()[:400])
    text = sorted((images / 'test_query').iterdir())[0]
    text.write_text('not an image')
    entries = read_entries(root / CUHK)
    named = [e for e in entries if e['file_path'].startswith('CUHK03/')][0]
    (images / named['file_path']).unlink()
    train_entry = next(i for i, e in enumerate(entries) if e['split'] == 'train')
    entries[train_entry]['captions'][1] = ' '
    write_entries(root / CUHK, entries)
    shutil.copy(images_of(query, 5)[0], train / '0004_c1s9_000001_00.jpg')
    shutil.copy(images_of(train, 6)[1], train / '0008_c2s9_000002_00.jpg')
    for number, path in enumerate(images_of(train, 10)):
        path.rename(train / f'0010_c4s9_{number:06d}_00.jpg')
    for path in images_of(gallery, 1):
        path.unlink()
    with Image.open(images_of(train, 12)[0]) as image:
        image.save(gallery / '0012_c1s9_000003_00.jpg', quality=40)
    return {
        ('error', 'empty file', str(train), 1): empty.name,
        ('error', 'broken image', str(gallery), 1): cut.name,
        ('error', 'no image', str(text.parent), 1): text.name,
        ('error', 'missing file', str(images / 'CUHK03'), 1): named['file_path'][7:],
        (
            'error',
            'annotation',
            str(root / CUHK),
            1,
        ): f"entry {train_entry}: caption ' ",
        (
            'error',
            'test image trained on',
            'Market-1501 train and Market-1501 test',
            1,
        ): '0004_c1s9_000001_00.jpg',
        (
            'error',
            'one image, two identities',
            'Market-1501 train and Market-1501 test',
            1,
        ): '0008_c2s9_000002_00.jpg (identity 8)',
        ('warning', 'one camera only', 'Market-1501 train', 1): 'identity 10 (camera 3',
        ('error', 'query without a match', 'Market-1501 test', 2): '0001_c',
        (
            'error',
            'test identity trained on',
            'Market-1501 train and Market-1501 test',
            1,
        ): 'identity 12',
    }


def test_sound_dataset_is_healthy(sound):
    report, splits, facts = examine('SynthPeds', configs_of_joint_training(sound))
    assert report.findings == []
    assert report.healthy
    assert len(splits) == 5
    manifest = json.loads((sound / 'manifest.json').read_text())
    junk = 2  # dropped by the dataset
    assert len(facts) == report.files == sum(manifest['files'].values()) - junk
    assert report.to_text().endswith('Healthy: no errors, no warnings.\n')


def test_exactly_the_planted_faults_are_found(synthpeds):
    planted = plant_faults(synthpeds)
    assert len(planted) == 10
    report, _, _ = examine('SynthPeds', configs_of_joint_training(synthpeds), workers=3)
    assert not report.healthy
    found = {(f.severity, f.check, f.where, f.count): f for f in report.findings}
    assert found.keys() == planted.keys()
    assert len(report.findings) == 10
    for key, example in planted.items():
        assert any(example in text for text in found[key].examples), key

    data = json.loads(report.to_json())
    assert not data['healthy']
    listed = {
        (f['severity'], f['check'], f['where'], f['count']): f['examples']
        for f in data['findings']
    }
    assert listed == {key: list(f.examples) for key, f in found.items()}

    text = report.to_text()
    for (severity, check, where, count), example in planted.items():
        assert f'. {severity.upper()}: {check}, {count} in {where}\n' in text
        assert example in text
    assert '\n10. WARNING: one camera only' in text
    assert '\n11. ' not in text
    assert text.endswith('Not healthy: 9 errors, 1 warning.\n')


def test_quick_finds_all_faults_that_need_no_decoding(synthpeds):
    planted = plant_faults(synthpeds)
    report, _, facts = examine(
        'SynthPeds', configs_of_joint_training(synthpeds), quick=True
    )
    needs_bytes = {
        'broken image',
        'no image',
        'test image trained on',
        'one image, two identities',
    }
    assert {f.check for f in report.findings} == {
        check for _, check, _, _ in planted
    } - needs_bytes
    assert all(fact.digest is None for fact in facts.values())


def test_missing_folder_of_one_split(tmp_path):
    root = make_market(tmp_path)
    shutil.rmtree(root / 'query')
    report, splits, _ = examine(
        'x',
        [
            *configs_of('Market1501', root),
            *configs_of('Market1501', root, split='test'),
        ],
    )
    assert summary_of(report.findings) == [('error', 'unreadable split', 1)]
    assert f"folder '{root / 'query'}' does not exist" in report.findings[0].message
    assert [split.name for split in splits] == ['Market-1501 train']


TABLE = """path,pid,split,camid,caption
a.jpg,ann,train,0,A red coat.
b.jpg,ann,train,1,
c.jpg,,train,1,
d.jpg,bob,query,0,
e.jpg,bob,gallery,1,
f.jpg,eve,gallery,1,
"""


def test_invalid_rows_of_a_table_are_skipped(tmp_path):
    table = tmp_path / 'own.csv'
    table.write_text(TABLE)
    for name in 'abcde':
        write_image(tmp_path / f'{name}.jpg', name)
    configs = parse_dataset(f'TableDataset:{table}', {})
    assert [(c.split, c.options['task']) for c in configs] == [
        ('train', None),
        ('test', 'i2i'),
    ]
    report, splits, _ = examine('own', configs)
    assert [len(split.items) for split in splits] == [2, 3]
    assert summary_of(report.findings) == [
        ('error', 'annotation', 1),
        ('error', 'missing file', 1),
    ]
    assert report.findings[1].examples == ('f.jpg',)


def test_invalid_lines_of_a_list_are_skipped(tmp_path):
    line = '0000/0000_000_01_0303morning_0008_0.jpg'
    write_image(tmp_path / 'train' / line, 'x')
    (tmp_path / 'list_train.txt').write_text(f'{line} 0\n{line} 7\n')
    (tmp_path / 'list_val.txt').write_text('0001/0001_000_02_0303noon_0008_0.jpg 1\n')
    report, splits, _ = examine('x', configs_of('MSMT17', tmp_path))
    assert len(splits[0].items) == 2
    assert ('error', 'annotation', 1) in summary_of(report.findings)
    assert ('error', 'missing file', 1) in summary_of(report.findings)


def test_counts_of_a_benchmark_on_disk(tmp_path):
    root = make_market(tmp_path)
    report, _, _ = examine('x', parse_dataset(f'Market1501:{root}', {}))
    assert [(f.check, f.count) for f in report.findings] == [
        ('counts', 1),
        ('counts', 2),
    ]
    configs = parse_dataset(f'Market1501:{root}', {'expected': None})
    assert examine('x', configs)[0].findings == []


def test_dataset_against_another_copy_of_it(tmp_path):
    one, two = make_market(tmp_path / 'one'), make_market(tmp_path / 'two')
    next((two / 'bounding_box_train').iterdir()).unlink()
    report, splits, facts = examine(
        'x', configs_of('Market1501', one), configs_of('Market1501', two)
    )
    (overlap,) = report.overlaps
    assert (overlap.first, overlap.second) == (
        'Market-1501 train',
        'Market-1501 #2 train',
    )
    assert (overlap.images, overlap.people) == (15, None)
    assert report.findings == []  # the other dataset is compared, not examined
    assert len(splits) == 1
    assert len(facts) == 16


def test_split_statistics(tmp_path):
    root = make_cuhk_pedes(tmp_path, num_test_ids=2)
    report, splits, _ = examine('x', configs_of('CUHKPEDES', root, split='test'))
    (statistics,) = report.splits
    assert statistics['parts'] == {
        'gallery': {'items': 4, 'identities': 2, 'images': 4},
        'query': {'items': 8, 'identities': 2, 'images': 0},
    }
    assert statistics['images'] == {
        'decoded': 4,
        'width': [32, 32, 32],
        'height': [64, 64, 64],
        'modes': {'RGB': 4},
    }
    captions = [i['caption'] for i in splits[0].items if i['caption']]
    assert statistics['captions']['captions'] == len(captions) == 8
    assert statistics['captions']['distinct'] == len(set(captions))
    assert statistics['captions']['words'] == [10, 10, 10]
