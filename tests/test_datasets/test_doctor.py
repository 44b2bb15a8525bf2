"""The doctor: ten planted faults at once, and each check on items made by hand."""

import json
import shutil
from io import BytesIO

import pytest
from PIL import Image

from hplreid.datasets import Market1501, TokenizeCaption
from hplreid.datasets.counts import Counts
from hplreid.datasets.doctor import examine, find_split_configs, parse_dataset
from hplreid.datasets.doctor.checks.captions import check_captions, count_tokens
from hplreid.datasets.doctor.checks.copies import check_copies
from hplreid.datasets.doctor.checks.files import check_files, check_shapes
from hplreid.datasets.doctor.checks.identities import (
    check_cameras,
    check_counts,
    check_held_out,
    check_parts,
    check_queries,
)
from hplreid.datasets.doctor.file_inspection import (
    FileFacts,
    inspect_bytes,
    inspect_files,
)
from hplreid.datasets.doctor.finding import Finding, found
from hplreid.datasets.doctor.image_selection import choose_sheet_images
from hplreid.datasets.doctor.overlap import count_shared_identities, find_overlaps
from hplreid.datasets.doctor.report import Report, summarize
from hplreid.datasets.doctor.split_reader import Split, read_splits
from hplreid.datasets.doctor.split_selection import SplitConfig, drop_duplicates
from hplreid.datasets.errors import AnnotationError
from hplreid.datasets.fault_collector import collect_faults, raise_or_collect
from hplreid.synthpeds import make_synthpeds
from tests.helpers import (
    make_cuhk_pedes,
    make_market,
    market_name,
    read_entries,
    write_entries,
    write_image,
)

MARKET, CUHK = 'Market-1501-v15.09.15', 'CUHK-PEDES'


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
    """SynthPeds as it is made."""
    out = tmp_path_factory.mktemp('doctor') / 'sound'
    make_synthpeds(out, 'tiny', workers=1, progress=False)
    return out


@pytest.fixture
def synthpeds(sound, tmp_path):
    """A copy of it to be damaged."""
    return shutil.copytree(sound, tmp_path / 'synthpeds')


def splits_of(root):
    """What a config of joint training with both benchmarks would ask for."""
    i2i = {'type': 'Market1501', 'data_root': str(root / MARKET), 'expected': None}
    t2i = {'type': 'CUHKPEDES', 'data_root': str(root / CUHK), 'expected': None}
    joint = {'type': 'JointDataset', 'i2i': i2i, 't2i': t2i, 'leak': 'identity'}
    tests = [{**i2i, 'split': 'test'}, {**t2i, 'split': 'test'}]
    return find_split_configs([joint, *tests, {**t2i, 'split': 'val'}])


def plant_faults(root):
    """Plant ten faults; return what should be found: check, where, number, example."""
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
    speechless = next(i for i, e in enumerate(entries) if e['split'] == 'train')
    entries[speechless]['captions'][1] = ' '
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
        ('error', 'annotation', str(root / CUHK), 1): f"entry {speechless}: caption ' ",
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


def test_a_sound_data_set_is_healthy(sound):
    report, splits, facts = examine('SynthPeds', splits_of(sound))
    assert report.findings == []
    assert report.healthy
    assert len(splits) == 5
    manifest = json.loads((sound / 'manifest.json').read_text())
    junk = 2  # which no item is made of
    assert len(facts) == report.files == sum(manifest['files'].values()) - junk
    assert report.to_text().endswith('Healthy: nothing was found.\n')


def test_ten_planted_faults_are_found_and_nothing_else(synthpeds):
    planted = plant_faults(synthpeds)
    assert len(planted) == 10
    report, _, _ = examine('SynthPeds', splits_of(synthpeds), workers=3)
    assert not report.healthy
    told = {(f.severity, f.check, f.where, f.count): f for f in report.findings}
    assert told.keys() == planted.keys()
    assert len(report.findings) == 10
    for key, example in planted.items():
        assert any(example in text for text in told[key].examples), key

    data = json.loads(report.to_json())
    assert not data['healthy']
    listed = {
        (f['severity'], f['check'], f['where'], f['count']): f['examples']
        for f in data['findings']
    }
    assert listed == {key: list(f.examples) for key, f in told.items()}

    text = report.to_text()
    for (severity, check, where, count), example in planted.items():
        assert f'. {severity.upper()}: {check}, {count} in {where}\n' in text
        assert example in text
    assert '\n10. WARNING: one camera only' in text
    assert '\n11. ' not in text
    assert text.endswith('Not healthy: 9 errors, 1 warning.\n')


def test_without_reading_files_what_is_not_there_is_still_found(synthpeds):
    planted = plant_faults(synthpeds)
    report, _, facts = examine('SynthPeds', splits_of(synthpeds), quick=True)
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


# Reading on


def test_outside_of_the_doctor_a_tolerable_fault_is_raised():
    def read():
        with raise_or_collect():
            raise AnnotationError('wrong', ['one'])
        return 'read on'

    with collect_faults() as faults:
        assert read() == 'read on'
    assert [f.faults for f in faults] == [('one',)]
    with pytest.raises(AnnotationError, match='wrong'):
        read()
    with collect_faults(), pytest.raises(ValueError, match='else'), raise_or_collect():
        raise ValueError('something else')


def wanted(kind, root, **options):
    options = {'data_root': str(root), 'expected': None, **options}
    return find_split_configs({'type': kind, **options})


def told(findings):
    return [(f.severity, f.check, f.count) for f in findings]


def test_a_bad_name_hides_nothing_else(tmp_path):
    root = make_market(tmp_path)
    write_image(root / 'bounding_box_train' / 'me.jpg', 'x')
    write_image(root / 'query' / '0000_c1s1_000000_00.jpg', 'x')
    splits, findings = read_splits(
        [*wanted('Market1501', root), *wanted('Market1501', root, split='test')]
    )
    assert told(findings) == [('error', 'annotation', 1)] * 2
    assert [f.examples for f in findings] == [('me.jpg',), ('0000_c1s1_000000_00.jpg',)]
    assert [len(split.items) for split in splits] == [16, 4 + 1 + 5]
    with pytest.raises(AnnotationError, match=r'me\.jpg'):
        Market1501(str(root), expected=None)


def test_a_missing_folder_leaves_the_other_split(tmp_path):
    root = make_market(tmp_path)
    shutil.rmtree(root / 'query')
    report, splits, _ = examine(
        'x', [*wanted('Market1501', root), *wanted('Market1501', root, split='test')]
    )
    assert told(report.findings) == [('error', 'unreadable split', 1)]
    assert f"folder '{root / 'query'}' does not exist" in report.findings[0].message
    assert [split.name for split in splits] == ['Market-1501 train']


def test_a_missing_data_set_is_told_once(tmp_path):
    both = [
        *wanted('Market1501', tmp_path / 'no'),
        *wanted('Market1501', tmp_path / 'no', split='test'),
    ]
    splits, findings = read_splits(both)
    assert splits == []
    assert told(findings) == [('error', 'unreadable split', 1)]
    assert 'does not exist' in findings[0].message


def test_faulty_entries_are_left_out_and_broken_json_is_told_once(tmp_path):
    root = make_cuhk_pedes(tmp_path)
    entries = read_entries(root)
    entries[0]['id'] = 'you'
    entries[1]['captions'] = []
    write_entries(root, entries)
    both = [*wanted('CUHKPEDES', root), *wanted('CUHKPEDES', root, split='test')]
    splits, findings = read_splits(both)
    assert told(findings) == [('error', 'annotation', 2)]
    assert len(splits[0].paths) == 6
    assert len(splits[1].items) == 12
    (root / 'reid_raw.json').write_text('[{')
    splits, findings = read_splits(both)
    assert splits == []
    assert told(findings) == [('error', 'unreadable split', 1)]


def test_an_empty_val_is_no_error(tmp_path):
    root = make_cuhk_pedes(tmp_path, num_val_ids=0)
    _, findings = read_splits(parse_dataset(f'CUHKPEDES:{root}', {'expected': None}))
    assert told(findings) == [('warning', 'empty split', 1)]
    make_cuhk_pedes(root, num_test_ids=0)
    _, findings = read_splits(wanted('CUHKPEDES', root, split='test'))
    assert told(findings) == [('error', 'empty split', 1)]


TABLE = """path,pid,split,camid,caption
a.jpg,ann,train,0,A red coat.
b.jpg,ann,train,1,
c.jpg,,train,1,
d.jpg,bob,query,0,
e.jpg,bob,gallery,1,
f.jpg,eve,gallery,1,
"""


def test_rows_of_a_table_that_can_be_used_are_used(tmp_path):
    table = tmp_path / 'own.csv'
    table.write_text(TABLE)
    for name in 'abcde':
        write_image(tmp_path / f'{name}.jpg', name)
    parsed = parse_dataset(f'TableDataset:{table}', {})
    assert [(w.split, w.options['task']) for w in parsed] == [
        ('train', None),
        ('test', 'i2i'),
    ]
    report, splits, _ = examine('own', parsed)
    assert [len(split.items) for split in splits] == [2, 3]
    assert told(report.findings) == [
        ('error', 'annotation', 1),
        ('error', 'missing file', 1),
    ]
    assert report.findings[1].examples == ('f.jpg',)


def test_lines_of_a_list_that_can_be_used_are_used(tmp_path):
    line = '0000/0000_000_01_0303morning_0008_0.jpg'
    write_image(tmp_path / 'train' / line, 'x')
    (tmp_path / 'list_train.txt').write_text(f'{line} 0\n{line} 7\n')
    (tmp_path / 'list_val.txt').write_text('0001/0001_000_02_0303noon_0008_0.jpg 1\n')
    report, splits, _ = examine('x', wanted('MSMT17', tmp_path))
    assert len(splits[0].items) == 2
    assert ('error', 'annotation', 1) in told(report.findings)
    assert ('error', 'missing file', 1) in told(report.findings)


def test_images_of_a_folder_without_a_camera_are_left_out(tmp_path):
    for name in ('train/1/c1.jpg', 'train/1/c2.jpg', 'train/1/x.jpg'):
        write_image(tmp_path / name, name)
    splits, findings = read_splits(
        find_split_configs(
            {'type': 'FolderDataset', 'data_root': str(tmp_path), 'camera': r'c(\d)'}
        )
    )
    assert told(findings) == [('error', 'annotation', 1)]
    assert len(splits[0].items) == 2


# Which splits


def test_splits_of_a_config_are_taken_once():
    t2i = {'type': 'CUHKPEDES', 'data_root': 'a'}
    i2i = {'type': 'hplreid.Market1501', 'data_root': './b', 'name': 'B'}
    joint = {'type': 'JointDataset', 't2i': t2i, 'i2i': i2i}
    other = {'type': 'MSMT17', 'data_root': 'c', 'pipeline': [{'type': 'LoadImage'}]}
    concat = {'type': 'ConcatReIDDataset', 'datasets': [joint, other]}
    test = {'type': 'Market1501', 'data_root': 'b', 'split': 'test'}
    found = drop_duplicates(
        [
            *find_split_configs(concat),
            *find_split_configs(joint),
            *find_split_configs(test, 'keep'),
        ]
    )
    assert [(w.cls.__name__, w.split, w.same_camera) for w in found] == [
        ('CUHKPEDES', 'train', 'drop'),
        ('Market1501', 'train', 'drop'),
        ('MSMT17', 'train', 'drop'),
        ('Market1501', 'test', 'keep'),
    ]
    assert found[1].source == found[3].source
    assert 'pipeline' not in found[2].options
    with pytest.raises(KeyError, match='Nope'):
        find_split_configs({'type': 'Nope'})


@pytest.mark.parametrize('text', ['data/x', 'Nope:data/x', 'JointDataset:x', ':x', 'x'])
def test_what_is_no_data_set_says_what_is(text):
    with pytest.raises(ValueError, match='CLASS:FOLDER.*CUHKPEDES.*Market1501'):
        parse_dataset(text, {})


# The checks


def item(pid, camid=0, split='train', path=None, caption=None):
    path = path or (None if caption and split == 'query' else f'{split}_{pid}_{camid}')
    return {
        'img_path': path,
        'pid': pid,
        'camid': camid,
        'split': split,
        'caption': caption,
    }


def make_split(items, name='set train', source='set', **options):
    dataset_name, part = name.split()
    return Split(dataset_name, part, source, part != 'train', items, **options)


def test_counts_are_compared_if_they_are_published():
    items = [item(1), item(1, 1), item(2)]
    published = {'train': Counts(2, 3)}
    assert check_counts(make_split(items)) == []
    assert check_counts(make_split(items, published=published)) == []
    (finding,) = check_counts(make_split(items[:2], published=published))
    assert finding.examples == (
        'train: found 1 identities, 2 images; published 2 identities, 3 images',
    )


def test_counts_of_a_benchmark_on_disk(tmp_path):
    root = make_market(tmp_path)
    report, _, _ = examine('x', parse_dataset(f'Market1501:{root}', {}))
    assert [(f.check, f.count) for f in report.findings] == [
        ('counts', 1),
        ('counts', 2),
    ]
    quiet = parse_dataset(f'Market1501:{root}', {'expected': None})
    assert examine('x', quiet)[0].findings == []


def test_cameras():
    train = [item(1), item(1, 0, path='b'), item(2, 0), item(2, 1), item(3, -1)]
    (finding,) = check_cameras(make_split(train))
    assert finding.examples == ('identity 1 (camera 0)',)
    assert check_cameras(make_split([item(1, caption='told')])) == []
    test = [item(1, 0, 'query'), item(1, -1, 'gallery')]
    (finding,) = check_cameras(make_split(test, 'set test'))
    assert (finding.check, finding.count) == ('unknown camera', 1)
    assert check_cameras(make_split(test, 'set test', same_camera='keep')) == []


def test_queries_without_a_match():
    items = [
        item(1, 0, 'query'),
        item(1, 1, 'query', path='other camera'),
        item(2, 0, 'query', path='absent'),
        item(1, 0, 'gallery'),
        item(3, 0, 'gallery'),
    ]
    split = make_split(items, 'set test')
    (finding,) = check_queries(split)
    assert finding.examples == ('query_1_0 (identity 1)', 'absent (identity 2)')
    (finding,) = check_queries(make_split(items, 'set test', same_camera='keep'))
    assert finding.examples == ('absent (identity 2)',)
    words = [
        item(1, 0, 'gallery'),
        item(1, 0, 'query', caption='one'),
        item(2, 0, 'query', caption='two'),
    ]
    (finding,) = check_queries(make_split(words, 'set test'))
    assert finding.examples == ('two (identity 2)',)


def test_a_test_split_needs_both_parts():
    split = make_split([item(1, 0, 'gallery')], 'set test')
    (finding,) = check_parts(split)
    assert finding.examples == ('query',)
    assert check_queries(split) == []
    assert check_queries(make_split([item(1, 0, 'query')], 'set test')) == []
    assert check_parts(make_split([item(1)])) == []


def test_people_in_training_and_test_of_one_data_set():
    train = make_split([item(0), item(1), item(2)])
    test = make_split([item(0, 0, 'gallery'), item(2, 0, 'query')], 'set test')
    (finding,) = check_held_out([train, test])
    assert finding.examples == ('identity 2',)
    other = make_split(test.items, 'other test', 'other')
    assert check_held_out([train, other]) == []
    told_of = [item(0, 0, 'gallery'), item(0, 0, 'query', caption='zero')]
    (finding,) = check_held_out([train, make_split(told_of, 'set test')])
    assert finding.examples == ('identity 0',)  # counted from 0 where nobody is 0


def test_long_captions_are_those_that_the_pipeline_cuts():
    words = ['blue'] * 75
    fits, long = ' '.join(words), ' '.join([*words, 'shoes'])
    items = [item(1, caption=fits), item(2, caption=long)]
    tokens = count_tokens([fits, long])
    assert tokens == {fits: 77, long: 78}
    wide = TokenizeCaption(200)
    assert [int((wide(dict(i))['tokens'] > 0).sum()) for i in items] == [77, 78]
    (finding,) = check_captions(make_split(items), tokens)
    assert (finding.check, finding.severity) == ('long caption', 'warning')
    assert finding.examples[0].startswith("78 tokens: 'blue blue")


def test_captions_said_of_different_people():
    items = [
        item(1, caption='A man.'),
        item(1, 1, caption='A man.'),
        item(2, caption='A coat.'),
        item(3, caption='A coat.'),
    ]
    tokens = count_tokens([i['caption'] for i in items])
    (finding,) = check_captions(make_split(items), tokens)
    assert finding.examples == ("2 identities: 'A coat.'",)


def encode(size=(20, 40), mode='RGB', kind='JPEG'):
    buffer = BytesIO()
    Image.effect_noise(size, 50).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def test_what_a_file_is():
    data = encode()
    fact = inspect_bytes(data)
    assert (fact.fault, fact.size, fact.mode) == (None, (20, 40), 'RGB')
    assert fact.digest != inspect_bytes(encode()).digest
    assert fact == inspect_bytes(bytes(data))
    assert inspect_bytes(b'').fault == 'empty file'
    assert inspect_bytes(b'<html>').fault == 'no image'
    png = encode(kind='PNG')
    for whole in (data, png):
        cut = inspect_bytes(whole[: len(whole) // 2])
        assert cut == FileFacts('broken image')
    assert inspect_bytes(encode(mode='CMYK')).mode == 'CMYK'


def test_files_are_grouped_by_fault_and_folder(tmp_path):
    names = [f'{folder}/{i}.jpg' for folder in 'ab' for i in range(7)]
    paths = [str(tmp_path / name) for name in names]
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / '0.jpg').write_bytes(encode())
    (tmp_path / 'a' / '1.jpg').mkdir()
    facts = inspect_files([*paths, paths[0]], workers=2)
    assert list(facts) == paths
    findings = check_files(facts)
    assert [(f.check, f.where, f.count) for f in findings] == [
        ('missing file', str(tmp_path / 'a'), 5),
        ('missing file', str(tmp_path / 'b'), 7),
        ('unreadable file', str(tmp_path / 'a'), 1),
    ]
    assert findings[1].examples == tuple(f'{i}.jpg' for i in range(5))


def test_odd_images():
    facts = {
        'good': FileFacts(None, b'', (64, 128), 'RGB'),
        'wide': FileFacts(None, b'', (101, 50), 'RGB'),
        'edge': FileFacts(None, b'', (100, 50), 'RGB'),
        'tiny': FileFacts(None, b'', (9, 20), 'RGB'),
        'pole': FileFacts(None, b'', (10, 81), 'RGB'),
        'gray': FileFacts(None, b'', (64, 128), 'L'),
        'gone': FileFacts('missing file'),
    }
    shape, colors = check_shapes('here', facts, facts)
    assert shape.examples == ('wide (101 x 50)', 'tiny (9 x 20)', 'pole (10 x 81)')
    assert colors.examples == ('gray (L)',)
    assert 'RGB 5, L 1' in colors.message


def digests(**paths):
    return {path: FileFacts(None, value) for path, value in paths.items()}


def test_copies_are_told_once_as_the_worst_they_are():
    train = make_split([item(1, path='a'), item(2, path='b'), item(3, path='c')])
    test = make_split([item(4, 0, 'gallery', path='d')], 'set test')
    same = {'source': 'set'}
    leak = digests(a=b'1', b=b'2', c=b'3', d=b'1')
    assert [f.check for f in check_copies([train, test], leak)] == [
        'test image trained on'
    ]
    other = make_split(test.items, 'other test', 'other')
    assert [f.examples for f in check_copies([train, other], leak)] == [('a = d',)]
    clash = digests(a=b'1', b=b'1', c=b'3', d=b'4')
    assert [f.examples for f in check_copies([train, test], clash)] == [
        ('a (identity 1) = b (identity 2)',)
    ]
    twice = make_split([item(1, path='a'), item(1, path='b')], **same)
    (finding,) = check_copies([twice], clash)
    assert (finding.severity, finding.check) == ('warning', 'image twice')
    assert check_copies([train, test], digests(a=b'1', b=b'2', c=b'3', d=b'4')) == []


def test_copies_between_tasks_and_broken_files_are_no_fault():
    train = make_split([item(1, path='a', caption='told')])
    test = make_split([item(4, 0, 'gallery', path='d')], 'other test', 'other')
    assert check_copies([train, test], digests(a=b'1', d=b'1')) == []
    broken = {'a': FileFacts('empty file'), 'b': FileFacts('empty file')}
    assert (
        check_copies([make_split([item(1, path='a'), item(2, path='b')])], broken) == []
    )


def test_one_file_listed_under_two_identities():
    split = make_split([item(1, path='a'), item(2, path='a')])
    (finding,) = check_copies([split], digests(a=b'1'))
    assert finding.check == 'one image, two identities'


# Overlap


def test_overlap_of_two_data_sets(tmp_path):
    market = make_market(tmp_path / 'market')
    copied = market / 'bounding_box_train' / market_name(2, 1, 0)
    # Identity 1 is Market's 2, and 2 is Market's 3; one file is the very same
    cuhk = make_cuhk_pedes(
        tmp_path / 'cuhk', market={1: 2, 2: 3}, market_files=[copied]
    )
    first, _ = read_splits(wanted('CUHKPEDES', cuhk))
    second, _ = read_splits(
        [*wanted('Market1501', market), *wanted('Market1501', market, split='test')]
    )
    facts = inspect_files([p for s in (*first, *second) for p in s.paths])
    (overlap,) = find_overlaps(first, second, facts)
    assert (overlap.first, overlap.second) == ('CUHK-PEDES train', 'Market-1501 train')
    assert (overlap.images, overlap.people) == (1, 2)
    assert overlap.examples[0].endswith(str(copied))
    (mirrored,) = find_overlaps(second, first, facts)
    assert (mirrored.images, mirrored.people) == (1, 2)


def test_a_data_set_against_another_copy_of_it(tmp_path):
    one, two = make_market(tmp_path / 'one'), make_market(tmp_path / 'two')
    next((two / 'bounding_box_train').iterdir()).unlink()
    report, splits, facts = examine(
        'x', wanted('Market1501', one), wanted('Market1501', two)
    )
    (overlap,) = report.overlaps
    assert (overlap.first, overlap.second) == (
        'Market-1501 train',
        'Market-1501 #2 train',
    )
    assert (overlap.images, overlap.people) == (15, None)
    assert report.findings == []  # the other set is compared, not examined
    assert len(splits) == 1
    assert len(facts) == 16


def test_what_keeps_people_from_being_counted():
    told_of = [item(1, path='imgs/Market/me.jpg', caption='told')]
    words = make_split(told_of, benchmark='CUHK-PEDES')
    images = make_split([item(1)], source='b', benchmark='Market-1501')
    count, note = count_shared_identities(images, words)
    assert count is None
    assert 'does not start with the four digits' in note
    copy = make_split(
        [item(1)], 'a train', benchmark='Market-1501', original_pids=False
    )
    assert count_shared_identities(words, copy)[1].startswith(
        'a train may have numbered'
    )
    untold = make_split(told_of, benchmark='RSTPReid')
    msmt17 = make_split([item(1)], source='b', benchmark='MSMT17')
    assert 'given new names' in count_shared_identities(untold, msmt17)[1]
    assert count_shared_identities(untold, images) == (None, '')
    (overlap,) = find_overlaps([untold], [msmt17], digests(**{
        'imgs/Market/me.jpg': b'1', 'train_1_0': b'2'
    }))  # fmt: skip
    report = Report('x', [], [], [overlap], 2)
    assert '| set train | set train | 0        | (1)' in report.to_text()
    assert '\n(1) RSTPReid was drawn from MSMT17' in report.to_text()


# Report and images


def test_the_text_does_not_repeat_itself():
    faults = [f'fault {i}' for i in range(7)]
    many = found('warning', 'odd', 'here', faults, 'All wrong', 'Mend it.')
    assert found('warning', 'odd', 'here', [], 'All wrong', 'Mend it.') == []
    said = Finding('error', 'worse', 'there', 1, 'Wrong: a.\nExpected b.', ('a',))
    text = Report('me', [said, *many], [], [], 3).to_text()
    assert text == (
        'me: 3 image files read\n\n'
        '1. ERROR: worse, 1 in there\n   Wrong: a.\n   Expected b.\n\n'
        '2. WARNING: odd, 7 in here\n   All wrong\n     fault 0\n     fault 1\n'
        '     fault 2\n     fault 3\n     fault 4\n     and 2 more\n   Mend it.\n\n'
        'Not healthy: 1 error, 1 warning.\n'
    )
    assert Report('me', many, [], [], 3).healthy
    assert summarize(many) == 'Healthy, but have a look: 0 errors, 1 warning.'


def test_numbers_of_a_split(tmp_path):
    root = make_cuhk_pedes(tmp_path, num_test_ids=2)
    report, splits, _ = examine('x', wanted('CUHKPEDES', root, split='test'))
    (told_of,) = report.splits
    assert told_of['parts'] == {
        'gallery': {'items': 4, 'identities': 2, 'images': 4},
        'query': {'items': 8, 'identities': 2, 'images': 0},
    }
    assert told_of['images'] == {
        'decoded': 4,
        'width': [32, 32, 32],
        'height': [64, 64, 64],
        'modes': {'RGB': 4},
    }
    captions = [i['caption'] for i in splits[0].items if i['caption']]
    assert told_of['captions']['captions'] == len(captions) == 8
    assert told_of['captions']['distinct'] == len(set(captions))
    assert told_of['captions']['words'] == [10, 10, 10]


def test_images_of_each_camera_are_sound_and_spread():
    items = [item(pid, pid % 2, path=f'{pid}_{k}') for pid in range(40) for k in '012']
    facts = {i['img_path']: FileFacts() for i in items}
    facts['0_0'] = FileFacts('empty file')
    chosen = choose_sheet_images([make_split(items)], facts, num_ids=3, num_images=2)
    assert chosen == {
        0: {0: ['0_1', '0_2'], 20: ['20_0', '20_1'], 38: ['38_0', '38_1']},
        1: {1: ['1_0', '1_1'], 21: ['21_0', '21_1'], 39: ['39_0', '39_1']},
    }


def test_a_wanted_split_is_trained_on_unless_it_says_otherwise():
    assert SplitConfig(Market1501).split == 'train'
