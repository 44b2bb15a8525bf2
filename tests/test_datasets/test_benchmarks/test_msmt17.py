"""Reading MSMT17: three layouts, two places of list files, with and without val."""

import pytest

from hplreid.datasets import (
    MSMT17,
    AnnotationError,
    CountMismatchError,
    MissingDataError,
)
from hplreid.datasets.benchmarks import msmt17
from tests.benchmark_trees import make_merged_msmt17, make_msmt17, msmt17_name


def load(root, split='train', **options):
    return MSMT17(str(root), split, **{'expected': None, **options})


def items_of(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def rows(dataset):
    return [(i['split'], i['pid'], i['camid'], i['label']) for i in items_of(dataset)]


@pytest.mark.parametrize('version', ['v1', 'v2'])
@pytest.mark.parametrize('lists_inside', [False, True])
def test_train_with_and_without_val(tmp_path, version, lists_inside):
    make_msmt17(tmp_path, version, num_ids=2, lists_inside=lists_inside)
    everything = load(tmp_path, with_val=True)
    assert rows(everything) == [
        ('train', pid, camid, pid) for pid in (0, 1) for camid in (0, 1, 2, 3)
    ]
    train = load(tmp_path, with_val=False)
    assert rows(train) == [
        ('train', pid, camid, pid) for pid in (0, 1) for camid in (0, 1, 2)
    ]
    folder = {'v1': 'train', 'v2': 'mask_train_v2'}[version]
    assert train.get_data_info(4) == {
        'img_path': str(tmp_path / folder / msmt17_name(1, 1, 2)),
        'pid': 1,
        'label': 1,
        'camid': 1,
        'caption': None,
        'source': 'MSMT17',
        'split': 'train',
        'sample_idx': 4,
    }


@pytest.mark.parametrize('version', ['v1', 'v2', 'merged'])
def test_test_split_has_queries_then_gallery_with_offset_ids(tmp_path, version):
    make = make_merged_msmt17 if version == 'merged' else make_msmt17
    make(
        tmp_path,
        num_test_ids=2,
        **({} if version == 'merged' else {'version': version}),
    )
    assert rows(load(tmp_path, 'test')) == [
        *[('query', 10_000, 13, -1), ('query', 10_001, 13, -1)],
        *[('gallery', 10_000, 14, -1), ('gallery', 10_001, 14, -1)],
    ]
    trained = {pid for _, pid, _, _ in rows(load(tmp_path))}
    assert trained == {0, 1, 2}


def test_identity_0_of_the_merged_layout_is_ordinary(tmp_path):
    make_merged_msmt17(tmp_path, num_ids=2, images_per_id=2)
    dataset = load(tmp_path)
    assert rows(dataset) == [
        *[('train', 0, 0, 0), ('train', 0, 1, 0)],
        *[('train', 1, 0, 1), ('train', 1, 1, 1)],
    ]
    assert not dataset.original_pids
    with pytest.raises(MissingDataError, match='does not separate val from training'):
        load(tmp_path, with_val=False)


def test_layout_lists_and_val_are_logged(tmp_path, monkeypatch):
    logged = []
    for module in ('hplreid.datasets.base', 'hplreid.datasets.benchmarks.msmt17'):
        monkeypatch.setattr(
            f'{module}.log',
            lambda text, level=20, **_: logged.append((level, text)),
        )
    load(make_msmt17(tmp_path / 'a', lists_inside=True))
    assert (
        '(v1 layout, train/list_train.txt, train/list_val.txt, with val)'
        in logged[0][1]
    )
    assert '12 images' in logged[0][1]
    load(make_msmt17(tmp_path / 'b', 'v2'), with_val=False)
    assert '(v2 layout, list_train.txt, without val)' in logged[1][1]
    assert logged[2][0] == 30
    assert 'Scores on it are lower than on V1' in logged[2][1]
    assert len(logged) == 3


def test_several_layouts_need_a_choice(tmp_path):
    make_msmt17(tmp_path, 'v1', num_ids=2)
    make_msmt17(tmp_path, 'v2', num_ids=2)
    with pytest.raises(
        MissingDataError, match='holds v1 and v2: choose one with version='
    ):
        load(tmp_path)
    path = load(tmp_path, version='v2').get_data_info(0)['img_path']
    assert 'mask_train_v2' in path
    with pytest.raises(ValueError, match="version must be one of .*got 'v3'"):
        load(tmp_path, version='v3')


def test_published_counts_depend_on_with_val(tmp_path):
    make_msmt17(tmp_path)
    options = dict(expected='published', strict=True)
    with pytest.raises(CountMismatchError, match='published 1,041 ident.* 32,621'):
        load(tmp_path, **options)
    with pytest.raises(CountMismatchError, match='published 1,041 ident.* 30,248'):
        load(tmp_path, with_val=False, **options)
    with pytest.raises(CountMismatchError, match='11,659 images\n.* 82,161 images'):
        load(tmp_path, 'test', with_val=False, **options)
    counts = MSMT17.published
    test = sum(count.images for count in counts['test'].values())
    assert counts['train']['train'].images + test == 126_441


def test_missing_files_and_folders(tmp_path):
    find = MSMT17.find_problems
    (problem,) = find(data_root=str(tmp_path / 'no'))
    assert 'mask_train_v2/' in problem
    (problem,) = find(data_root=str(tmp_path))
    assert 'holds none of the known layouts' in problem
    make_msmt17(tmp_path)
    (tmp_path / 'list_val.txt').unlink()
    (problem,) = find(data_root=str(tmp_path))
    assert "'list_val.txt' is neither in" in problem
    assert find(data_root=str(tmp_path), with_val=False) == []
    (tmp_path / 'test').rename(tmp_path / 'tests')
    (problem,) = find(data_root=str(tmp_path), split='test')
    assert f"folder '{tmp_path / 'test'}' does not exist" in problem
    with pytest.raises(ValueError, match="no split 'val'"):
        find(data_root=str(tmp_path), split='val')


def test_missing_images(tmp_path):
    make_msmt17(tmp_path)
    (tmp_path / 'train' / msmt17_name(1, 0, 1)).unlink()
    with pytest.raises(MissingDataError, match=r'1 images .*sub-folder 0001/: 1\.'):
        load(tmp_path)


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        (
            '0000/0000_000_01_0303morning_0008_0.jpg',
            'does not end with an identity number',
        ),
        (
            '0000/0000_000_01_0303morning_0008_0.jpg x',
            'does not end with an identity number',
        ),
        (
            '0000/0000_000_01_0303morning_0008_0.jpg -1',
            'does not end with an identity number',
        ),
        (
            '0000/0000_000_01_0303morning_0008_0.jpg 1',
            'in the folder of identity 0, but the line says 1',
        ),
        ('x/0000_000_01_0303morning_0008_0.jpg 0', 'in a folder of four digits'),
        ('a/0000/0000_000_01_0303morning_0_0.jpg 0', 'in a folder of four digits'),
        ('0000/0000_000_cc_0303morning_0008_0.jpg 0', 'has no camera'),
        ('0000/0000_000_00_0303morning_0008_0.jpg 0', 'has no camera'),
    ],
)
def test_invalid_lines(tmp_path, line, reason):
    make_msmt17(tmp_path)
    with (tmp_path / 'list_train.txt').open('a') as file:
        file.write(f'\n{line}\n')
    with pytest.raises(
        AnnotationError, match=f'1 lines of .*list_train.txt.*\n  line 11: .*{reason}'
    ):
        load(tmp_path)


def test_duplicate_images_in_lists(tmp_path):
    make_msmt17(tmp_path)
    lists = [tmp_path / 'list_train.txt', tmp_path / 'list_val.txt']
    lists[0].write_text(''.join(path.read_text() for path in lists))
    with pytest.raises(AnnotationError, match='3 images are listed twice.*with_val='):
        load(tmp_path)
    assert len(load(tmp_path, with_val=False)) == 12


def test_lists_with_other_line_ends_and_encodings(tmp_path):
    make_msmt17(tmp_path)
    path = tmp_path / 'list_train.txt'
    expected = items_of(load(tmp_path))
    path.write_bytes(path.read_bytes().replace(b'\n', b'\r\n').replace(b' ', b'\t'))
    assert items_of(load(tmp_path)) == expected
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(AnnotationError, match='is not UTF-8 text'):
        load(tmp_path)


def test_five_digit_identities_are_refused(tmp_path):
    make_merged_msmt17(tmp_path)
    path = next((tmp_path / 'query').iterdir())
    path.rename(path.with_name('10000_c1_0001.jpg'))
    with pytest.raises(AnnotationError, match='identity 10000.*four digits'):
        load(tmp_path, 'test')


def test_offset_exceeds_every_training_identity():
    assert msmt17.TEST_OFFSET > 9_999
