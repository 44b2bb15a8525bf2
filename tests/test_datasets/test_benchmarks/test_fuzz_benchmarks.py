"""Fuzz tests: parsers read any files or raise only the errors that they document."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hplreid.datasets import (
    CUHK03NP,
    CUHKPEDES,
    ICFGPEDES,
    MSMT17,
    AnnotationError,
    DukeMTMCReID,
    Market1501,
    MissingDataError,
    RSTPReid,
)
from hplreid.datasets.joint.identity_matching import (
    read_market1501_pid,
    read_msmt17_pid,
)

DOCUMENTED = (MissingDataError, AnnotationError)
FOLDERS = ('bounding_box_train', 'query', 'bounding_box_test')

# File systems can't store surrogates, '/' and NUL in names
_letters = st.characters(exclude_categories=['Cs'], exclude_characters='/\0')
_digits = st.text('0123456789-٣', max_size=12)
_near = st.builds('{}_c{}{}'.format, _digits, _digits, st.text(_letters, max_size=8))
names = (
    (_near | st.text(_letters, max_size=20))
    .map(lambda stem: f'{stem}.jpg')
    .filter(lambda name: len(name.encode()) < 200)
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ['train', 'val', 'test', 'test/0001/0001_1_02_a.jpg', '0_c1_2.jpg']
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_keys = ('split', 'captions', 'file_path', 'img_path', 'id')
_entries = st.fixed_dictionaries({}, optional=dict.fromkeys(_keys, _values))
_paths = st.text(st.characters(), max_size=6)  # lone surrogates too: JSON has them
_good = st.fixed_dictionaries(
    {
        'split': st.sampled_from(['train', 'test']),
        'captions': st.lists(st.text(min_size=1), min_size=1, max_size=2),
        'id': st.integers(0, 3),
        'file_path': _paths | st.sampled_from(['test/0001/0001_1_02_a.jpg']),
        'img_path': _paths | st.sampled_from(['0_c1_2.jpg', 'a/b.jpg']),
    }
)
documents = (st.lists(_entries | _good | _values, max_size=4) | _values).map(
    lambda value: json.dumps(value).encode()
) | st.binary(max_size=60)
lines = st.lists(
    st.builds(
        '{}/{}_{}_{}_{}.jpg{}{}'.format,
        *[st.sampled_from(['0001', '1', 'x', '']) for _ in range(2)],
        st.sampled_from(['000', '', 'a b']),
        st.sampled_from(['01', '00', '15', 'c']),
        st.text(_letters, max_size=5),
        st.sampled_from([' ', '\t', '']),
        st.sampled_from(['1', '0001', '-1', '9' * 12, '1.0', '']),
    )
    | st.text(max_size=20),
    max_size=4,
).map(lambda rows: '\n'.join(rows).encode()) | st.binary(max_size=40)


def attempt(cls, root, **options):
    """Read every split; only documented errors may be raised."""
    for split in cls.splits:
        try:
            dataset = cls(str(root), split, expected=None, **options)
        except DOCUMENTED:
            continue
        items = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert items
        assert all(isinstance(i['pid'], int) and i['pid'] >= 0 for i in items)
        assert all(-1 <= i['camid'] < 1000 for i in items)
        assert {i['label'] for i in items} == (
            set(range(dataset.num_ids)) if split == 'train' else {-1}
        )


@pytest.mark.parametrize('cls', [Market1501, DukeMTMCReID, CUHK03NP, MSMT17])
@settings(max_examples=30, deadline=None)
@given(drawn=st.lists(st.tuples(st.sampled_from(FOLDERS), names), max_size=5))
def test_file_names(cls, drawn):
    with tempfile.TemporaryDirectory() as root:
        home = Path(root, 'labeled') if cls is CUHK03NP else Path(root)
        for folder in FOLDERS:
            (home / folder).mkdir(parents=True)
        for folder, name in drawn:
            path = home / folder / name
            path.with_suffix('.png' if cls is CUHK03NP else '.jpg').touch()
        attempt(cls, root)


@pytest.mark.parametrize('cls', [CUHKPEDES, ICFGPEDES, RSTPReid])
@settings(max_examples=80, deadline=None)
@given(document=documents)
def test_annotation_files(cls, document):
    with tempfile.TemporaryDirectory() as root:
        for name in ('test/0001/0001_1_02_a.jpg', '0_c1_2.jpg', 'a/b.jpg'):
            path = Path(root, 'imgs', name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        Path(root, cls.annotation_files[0]).write_bytes(document)
        attempt(cls, root)


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(lines, min_size=4, max_size=4), with_val=st.booleans())
def test_lists(texts, with_val):
    with tempfile.TemporaryDirectory() as root:
        for folder in ('train', 'test'):
            path = Path(root, folder, '0001', '0001_000_01_.jpg')
            path.parent.mkdir(parents=True)
            path.touch()
        for part, text in zip(('train', 'val', 'query', 'gallery'), texts, strict=True):
            Path(root, f'list_{part}.txt').write_bytes(text)
        attempt(MSMT17, root, with_val=with_val)


@settings(max_examples=100, deadline=None)
@given(
    path=st.lists(
        st.text(max_size=8)
        | st.sampled_from(['Market', 'test', '0001', '0002_c1.jpg']),
        max_size=4,
    ).map('/'.join)
)
@pytest.mark.parametrize('match', [read_market1501_pid, read_msmt17_pid])
def test_paths_of_captioned_images(match, path):
    try:
        pid = match({'img_path': path})
    except AnnotationError:
        return
    assert pid is None or 0 <= pid < 20_000
