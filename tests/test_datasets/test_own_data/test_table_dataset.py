"""TableDataset: items from each file format, order and error messages."""

import builtins
import csv
import importlib
import json
import math
import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hplreid.datasets import (
    AnnotationError,
    JointDataset,
    MissingDataError,
    TableDataset,
    UnreadableImageError,
)
from hplreid.datasets.own_data import own_dataset as own_data_module
from hplreid.datasets.own_data.annotation_rows import ROW_SPLITS, number_identities
from hplreid.datasets.own_data.table_validation import read_rows
from hplreid.registry import DATASETS
from tests.helpers import make_market, write_image

COLUMNS = ('path', 'pid', 'camid', 'caption', 'split')

# Two training and three test identities; p1 and p5 have several captions
ROWS = [
    ('img/p1.jpg', 'anna', 0, 'a red shirt', 'train'),
    ('img/p1.jpg', 'anna', 0, 'a person in red', 'train'),
    ('img/p2.jpg', 'bob', 1, '', 'train'),
    ('img/p3.jpg', 'anna', '', '', 'train'),
    ('img/p4.jpg', 'carl', 2, 'gray trousers', 'val'),
    ('img/p5.jpg', 'dora', '', 'yellow coat', 'test'),
    ('img/p5.jpg', 'dora', '', 'a coat, yellow', 'test'),
    ('img/p6.jpg', 'emil', '', '', 'test'),
    ('img/p7.jpg', 'dora', 0, 'not read', 'query'),
    ('img/p8.jpg', 'dora', 1, '', 'gallery'),
    ('img/p9.jpg', 'emil', 1, '', 'gallery'),
]


def as_dicts(rows):
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def write_csv(path, rows, header=COLUMNS, encoding='utf-8'):
    with open(path, 'w', encoding=encoding, newline='') as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def write_images(folder, rows):
    for row in rows:
        write_image(folder / row[0], row[1])


@pytest.fixture
def table(tmp_path):
    """Write ROWS as CSV, and their images."""
    write_images(tmp_path, ROWS)
    return write_csv(tmp_path / 'people.csv', ROWS)


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def fields(dataset, *keys):
    return [tuple(item[key] for key in keys) for item in items(dataset)]


def read_error(tmp_path, *rows, header=COLUMNS):
    """Return the error message about an invalid table."""
    path = write_csv(tmp_path / 'bad.csv', rows, header)
    with pytest.raises(AnnotationError) as error:
        TableDataset(path)
    # The check before training gives the same message
    assert TableDataset.find_problems(table=path) == [str(error.value)]
    return str(error.value)


def test_training_items(table, tmp_path):
    dataset = TableDataset(table)
    assert fields(dataset, 'pid', 'label', 'camid', 'caption', 'split') == [
        (0, 0, 0, 'a person in red', 'train'),
        (0, 0, 0, 'a red shirt', 'train'),
        (1, 1, 1, None, 'train'),
        (0, 0, -1, None, 'train'),
    ]
    first = dataset.get_data_info(0)
    assert first['img_path'] == str(tmp_path / 'img/p1.jpg')
    assert first['source'] == 'people'
    assert dataset.labels.tolist() == [0, 0, 1, 0]
    assert dataset.has_caption.tolist() == [True, True, False, False]
    assert dataset.num_ids == 2
    assert dataset.num_images == 3
    assert dataset.metainfo['label_of'] == {'anna': 0, 'bob': 1}
    assert dataset.metainfo['identities'] == {0: 'anna', 1: 'bob'}


def test_t2i_has_gallery_images_then_query_captions(table):
    dataset = TableDataset(table, 'test', task='t2i')
    paths = [p and os.path.basename(p) for (p,) in fields(dataset, 'img_path')]
    assert paths == ['p5.jpg', 'p6.jpg', None, None]
    assert fields(dataset, 'pid', 'caption', 'split') == [
        (3, None, 'gallery'),
        (4, None, 'gallery'),
        (3, 'a coat, yellow', 'query'),
        (3, 'yellow coat', 'query'),
    ]
    assert set(dataset.labels) == {-1}
    assert dataset.metainfo['identities'] == {3: 'dora', 4: 'emil'}
    assert dataset.metainfo['label_of'] == {}
    validation = TableDataset(table, 'val', task='t2i')
    assert fields(validation, 'pid', 'caption', 'camid') == [
        (2, None, 2),
        (2, 'gray trousers', 2),
    ]


def test_i2i_has_query_images_then_gallery_images(table):
    dataset = TableDataset(table, 'test', task='i2i')
    assert fields(dataset, 'pid', 'camid', 'caption', 'split') == [
        (3, 0, None, 'query'),
        (3, 1, None, 'gallery'),
        (4, 1, None, 'gallery'),
    ]


def test_image_with_several_captions_is_one_item_in_i2i(tmp_path):
    rows = [
        ('q.jpg', 1, 0, 'one', 'query'),
        ('q.jpg', 1, 0, 'two', 'query'),
        ('g.jpg', 1, 1, 'one', 'gallery'),
        ('g.jpg', 1, 1, 'two', 'gallery'),
    ]
    write_images(tmp_path, [(r[0], str(r[1])) for r in rows])
    path = write_csv(tmp_path / 't.csv', rows)
    dataset = TableDataset(path, 'test', task='i2i')
    assert [s for (s,) in fields(dataset, 'split')] == ['query', 'gallery']


def test_order_of_rows_does_not_matter(table, tmp_path):
    other = write_csv(
        tmp_path / 'other.csv', random.Random(2).sample(ROWS, len(ROWS)), COLUMNS
    )
    for split, task in (('train', None), ('test', 't2i'), ('test', 'i2i')):
        first = TableDataset(table, split, task=task)
        second = TableDataset(other, split, task=task, name='people')
        assert items(first) == items(second)
        assert first.metainfo == second.metainfo


def test_order_of_folders_does_not_matter(table, monkeypatch):
    expected = items(TableDataset(table))
    scandir = os.scandir

    class Shuffled:
        def __init__(self, path):
            self.entries = sorted(scandir(path), key=lambda e: e.name, reverse=True)

        def __enter__(self):
            return self.entries

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, 'scandir', Shuffled)
    assert items(TableDataset(table)) == expected


def test_new_test_identity_changes_no_label(table, tmp_path):
    before = TableDataset(table).metainfo['label_of']
    rows = [*ROWS, ('img/p1.jpg', 'anna', 0, 'early in the alphabet', 'test')]
    rows.append(('img/p2.jpg', 'bob', 1, 'also', 'test'))
    write_image(tmp_path / 'img/new.jpg', 'new')
    rows.append(('img/new.jpg', 'Aaron', '', '', 'test'))
    after = TableDataset(write_csv(table, rows))
    assert after.metainfo['label_of'] == before
    assert after.metainfo['identities'] == {1: 'anna', 2: 'bob'}


@pytest.mark.parametrize(
    ('names', 'numbers'),
    [
        (['10', '9', '2'], {'2': 2, '9': 9, '10': 10}),
        (['007', '010'], {'007': 7, '010': 10}),
        (['10', '9', 'x'], {'10': 0, '9': 1, 'x': 2}),
        # Too long for 64 bits: a name, not a number
        (['20240101123059999999', '1'], {'1': 0, '20240101123059999999': 1}),
        (['٣', '2'], {'2': 0, '٣': 1}),
    ],
)
def test_number_identities(names, numbers):
    assert number_identities(names) == numbers


def test_identity_number_written_in_two_ways_is_an_error(tmp_path):
    rows = [('a.jpg', '7', '', '', 'train'), ('b.jpg', '007', '', '', 'train')]
    write_images(tmp_path, rows)
    path = write_csv(tmp_path / 't.csv', rows)
    with pytest.raises(AnnotationError, match='007, 7 are the same'):
        TableDataset(path)
    assert 'same numbers' in TableDataset.find_problems(table=path)[0]


def test_whole_numbers_are_kept_and_sorted_numerically(tmp_path):
    rows = [(f'{n}.jpg', n, '', '', 'train') for n in (10, 9, 200)]
    write_images(tmp_path, [(r[0], str(r[1])) for r in rows])
    dataset = TableDataset(write_csv(tmp_path / 't.csv', rows))
    assert dict(fields(dataset, 'pid', 'label')) == {9: 0, 10: 1, 200: 2}
    assert list(dataset.metainfo['label_of'].items()) == [
        ('9', 0),
        ('10', 1),
        ('200', 2),
    ]


def test_json_and_csv_agree(table, tmp_path):
    records = as_dicts(ROWS)
    (tmp_path / 'list.json').write_text(json.dumps(records))
    lines = '\n\n'.join(json.dumps(record) for record in records)
    (tmp_path / 'lines.jsonl').write_text(lines)
    for name in ('list.json', 'lines.jsonl'):
        dataset = TableDataset(str(tmp_path / name), name='people')
        assert items(dataset) == items(TableDataset(table))


def test_json_types(tmp_path):
    write_image(tmp_path / 'a.jpg', 'a')
    write_image(tmp_path / 'b.jpg', 'b')
    records = [
        {'path': 'a.jpg', 'pid': 5, 'split': 'train', 'camid': 2.0, 'caption': None},
        {'path': 'b.jpg', 'pid': 5.0, 'split': 'train', 'camid': -1},
        {'path': 'b.jpg', 'pid': '5', 'split': 'test', 'camid': math.nan},
    ]
    path = tmp_path / 't.json'
    path.write_text(
        json.dumps(records)
    )  # NaN isn't JSON, but Python writes and reads it
    assert fields(TableDataset(str(path)), 'pid', 'camid', 'caption') == [
        (5, 2, None),
        (5, -1, None),
    ]


def test_parquet_and_csv_agree(table, tmp_path):
    arrow = pytest.importorskip('pyarrow')
    parquet = pytest.importorskip('pyarrow.parquet')
    names = dict(zip(COLUMNS, zip(*ROWS, strict=True), strict=True))
    # pandas writes columns of integers like this if some are missing
    names['camid'] = [math.nan if c == '' else float(c) for c in names['camid']]
    names['caption'] = [c or None for c in names['caption']]
    parquet.write_table(arrow.table(names), tmp_path / 'people.parquet')
    dataset = TableDataset(str(tmp_path / 'people.parquet'))
    assert items(dataset) == items(TableDataset(table))
    (tmp_path / 'cut.parquet').write_bytes(b'PAR1 and no more')
    with pytest.raises(AnnotationError, match=r"can't be read as \.parquet"):
        TableDataset(str(tmp_path / 'cut.parquet'))


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    path = tmp_path / 't.parquet'
    path.write_bytes(b'PAR1')

    def import_module(name):
        raise ModuleNotFoundError(f"No module named '{name}'")

    module = importlib.import_module('hplreid.datasets.own_data.table_reader')
    monkeypatch.setattr(module, 'import_module', import_module)
    with pytest.raises(ImportError, match='pip install pyarrow.*save the table as CSV'):
        TableDataset(str(path))
    (problem,) = TableDataset.find_problems(table=str(path))
    assert 'pip install pyarrow' in problem


def test_columns_option(tmp_path):
    write_images(tmp_path / 'images', ROWS)
    (tmp_path / 'lists').mkdir()
    header = ['file', 'person', 'camera', 'text', 'split']
    path = write_csv(tmp_path / 'lists' / 'people.csv', ROWS, header)
    columns = {'path': 'file', 'pid': 'person', 'camid': 'camera', 'caption': 'text'}
    dataset = TableDataset(path, data_root=str(tmp_path / 'images'), columns=columns)
    assert dataset.has_caption.sum() == 2
    assert fields(dataset, 'camid') == [(0,), (0,), (1,), (-1,)]
    with pytest.raises(ValueError, match=r"no \['camera'\].*expected some of"):
        TableDataset(path, columns={'camera': 'camid'})
    # A misspelled name must not silently make all cameras unknown
    with pytest.raises(AnnotationError, match='no column kamera; found'):
        TableDataset(path, columns={**columns, 'camid': 'kamera'})


def test_camera_and_caption_are_optional(tmp_path):
    write_image(tmp_path / 'a.jpg', 'a')
    path = write_csv(
        tmp_path / 't.csv', [('a.jpg', 'x', 'train')], COLUMNS[:2] + ('split',)
    )
    assert fields(TableDataset(path), 'camid', 'caption') == [(-1, None)]


def test_csv_and_json_as_spreadsheets_write_them(tmp_path):
    """With BOM, spaces, Unicode, quotes, and line breaks inside a cell."""
    name = 'Bilder für José/写真 1.jpg'
    write_image(tmp_path / name, 'a')
    caption = 'He said "hi",\nwearing 红色'
    rows = [(name, ' Zoë ', ' 3 ', caption, ' train ')]
    header = ['path', ' pid', 'camid ', 'caption', 'split']
    path = write_csv(tmp_path / 'ma table.csv', rows, header, encoding='utf-8-sig')
    dataset = TableDataset(path)
    assert fields(dataset, 'camid', 'caption') == [(3, caption)]
    assert dataset.metainfo['label_of'] == {'Zoë': 0}
    assert dataset.name == 'ma table'
    path = tmp_path / 'bom.json'
    records = as_dicts([(name, 'Zoë', 3, caption, 'train')])
    path.write_text(json.dumps(records), encoding='utf-8-sig')
    assert fields(TableDataset(str(path)), 'caption') == [(caption,)]


@pytest.mark.parametrize(
    ('change', 'fault'),
    [
        ({'path': ' '}, "path is ' '"),
        ({'path': None}, 'path is None'),
        ({'path': 5}, 'path is 5'),
        ({'path': 'a\0.jpg'}, r"path is 'a\x00.jpg'"),
        ({'path': '\ud800.jpg'}, r"path is '\ud800.jpg'"),
        ({'pid': ''}, "pid is ''"),
        ({'pid': None}, 'pid is None'),
        ({'pid': math.nan}, 'pid is nan'),
        ({'pid': True}, 'pid is True'),
        ({'pid': 1.5}, 'pid is 1.5'),
        ({'pid': -1}, 'pid is -1'),
        ({'pid': '-1'}, "pid is '-1', which marks junk"),
        ({'pid': [1]}, 'pid is [1]'),
        ({'split': 'Train'}, "split is 'Train', not one of"),
        ({'split': None}, 'split is None'),
        ({'camid': 'lobby'}, "camid is 'lobby', not a whole number"),
        ({'camid': 1.5}, 'camid is 1.5'),
        ({'camid': -2}, 'camid is -2'),
        ({'camid': True}, 'camid is True'),
        ({'camid': [0]}, 'camid is [0]'),
        ({'camid': math.inf}, 'camid is inf'),
        ({'caption': 5}, 'caption is 5, not a text'),
        ({'caption': ['one', 'two']}, "caption is ['one', 'two'], not a text"),
        ({'caption': 'NaN'}, "caption is 'NaN': leave it empty"),
        ({'caption': '\udfff'}, r"caption is '\udfff'"),
    ],
)
def test_invalid_rows(tmp_path, change, fault):
    good = {'path': 'a.jpg', 'pid': 1, 'split': 'train', 'camid': 0, 'caption': 'x'}
    path = tmp_path / 't.json'
    path.write_text(json.dumps([good, {**good, **change}]))
    with pytest.raises(AnnotationError, match='1 faults in 2 rows') as error:
        TableDataset(str(path))
    assert f'record 1: {fault}' in str(error.value)


def test_first_ten_faults_are_listed_with_line_numbers(tmp_path):
    message = read_error(tmp_path, *[('a.jpg', 1, 'x', '', 'train')] * 25)
    assert '25 faults in 25 rows' in message
    assert 'line 2: camid' in message
    assert message.count('camid is') == 10
    assert 'and 15 more' in message


def test_contradicting_and_duplicate_rows(tmp_path):
    rows = [
        ('a.jpg', 'x', 0, 'one', 'train'),
        ('a.jpg', 'y', 0, 'two', 'train'),
        ('a.jpg', 'x', 1, 'three', 'train'),
        ('a.jpg', 'x', 0, 'one', 'train'),
    ]
    message = read_error(tmp_path, *rows)
    assert 'line 3: identity of ' in message
    assert "is 'y', but 'x' in line 2" in message
    assert 'line 4: camid' in message
    assert 'line 5: the same as line 2' in message


def test_missing_columns(tmp_path):
    message = read_error(tmp_path, ('a.jpg', 1), header=('path', 'id'))
    assert "no column pid, split; found: 'path', 'id'" in message
    message = read_error(tmp_path, ('a;1',), header=('path;pid;split',))
    assert 'separated by commas' in message
    assert 'has duplicate columns: split' in read_error(
        tmp_path, header=('path', 'split', 'split')
    )


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('t.csv', b'', 'no column path, pid, split; found: none'),
        (
            't.csv',
            b'path,pid,split\na,b.jpg,1,train\n',
            'line 2: 4 cells under 3 .*quotes',
        ),
        ('t.csv', b'path,pid,split\na\n', 'line 2: 1 cells under 3'),
        ('t.csv', b'path,pid,split\n"a,1,train\n', "can't be read as .csv"),
        ('t.csv', b'path,pid,split\nJos\xe9,1,train\n', 'not UTF-8'),
        ('t.csv', 'path,pid,split'.encode('utf-16'), 'not UTF-8'),
        ('t.json', b'{"path": 1}', 'holds a dict.*jsonl'),
        ('t.json', b'[1]', 'record 0: found a int'),
        ('t.json', b'[', "can't be read as .json"),
        ('t.json', b'[' * 10**6, "can't be read as .json"),
        ('t.json', b'[]', 'no column'),
        ('t.jsonl', b'{"path": 1}\n\n{"path"', 'line 3: not valid JSON'),
        ('t.txt', b'', 'suffix must be one of .csv, .json, .jsonl, .parquet'),
    ],
)
def test_invalid_files(tmp_path, name, text, message):
    (tmp_path / name).write_bytes(text)
    with pytest.raises(AnnotationError, match=message):
        TableDataset(str(tmp_path / name))
    assert len(TableDataset.find_problems(table=str(tmp_path / name))) == 1


def test_missing_table(tmp_path):
    with pytest.raises(
        MissingDataError, match=r"no\.csv' does not exist.*own_data\.md"
    ):
        TableDataset(str(tmp_path / 'no.csv'))
    assert 'does not exist' in TableDataset.find_problems(table='no.csv')[0]


def test_missing_images_are_listed(table, tmp_path):
    (tmp_path / 'img/p1.jpg').unlink()
    (tmp_path / 'img/p3.jpg').unlink()
    (tmp_path / 'img/p3.jpg').mkdir()  # a folder of that name is not an image
    (tmp_path / 'img/p5.jpg').unlink()  # of another split
    with pytest.raises(MissingDataError, match='2 of 3 images.*p1.jpg, .*p3.jpg'):
        TableDataset(table)
    (problem,) = TableDataset.find_problems(
        table=table, split='train', pipeline=[], verify=True
    )
    assert '2 of 3 images' in problem
    TableDataset(table, 'test', task='i2i')


def test_links_are_followed_and_dangling_ones_listed(tmp_path):
    write_image(tmp_path / 'store/a.jpg', 'a')
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data/img').symlink_to(tmp_path / 'store')
    (tmp_path / 'data/link.jpg').symlink_to(tmp_path / 'store/a.jpg')
    (tmp_path / 'data/gone.jpg').symlink_to(tmp_path / 'store/gone.jpg')
    names = ['img/a.jpg', 'link.jpg']
    rows = [(name, 1, '', '', 'train') for name in names]
    path = write_csv(tmp_path / 'data/t.csv', rows)
    assert len(TableDataset(path, verify=True)) == 2
    path = write_csv(path, [*rows, ('gone.jpg', 1, '', '', 'train')])
    with pytest.raises(MissingDataError, match=r'1 of 3 images.*gone\.jpg'):
        TableDataset(path)


def test_absolute_paths(tmp_path):
    write_image(tmp_path / 'far/a.jpg', 'a')
    (tmp_path / 'near').mkdir()
    path = write_csv(
        tmp_path / 'near/t.csv', [(tmp_path / 'far/a.jpg', 1, '', '', 'train')]
    )
    assert fields(TableDataset(path), 'img_path') == [(str(tmp_path / 'far/a.jpg'),)]


def test_table_in_the_current_folder(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(TableDataset('people.csv', verify=True)) == 4


def test_nothing_is_written(table, tmp_path, monkeypatch):
    """Read-only access to table and images is sufficient."""
    before = sorted(tmp_path.rglob('*'))
    opened = builtins.open

    def read_only(file, mode='r', *args, **options):
        assert not set(mode) & set('wax+'), (file, mode)
        return opened(file, mode, *args, **options)

    monkeypatch.setattr(builtins, 'open', read_only)
    for path in (tmp_path / 'img', tmp_path):
        path.chmod(0o555)
    try:
        assert len(TableDataset(table, verify=True)) == 4
    finally:
        for path in (tmp_path, tmp_path / 'img'):
            path.chmod(0o755)
    assert sorted(tmp_path.rglob('*')) == before


@pytest.mark.parametrize('content', [b'', b'half'])
def test_unreadable_images_are_listed(table, tmp_path, content):
    image = tmp_path / 'img/p2.jpg'
    if content == b'half':
        content = image.read_bytes()[: image.stat().st_size // 2]
    image.write_bytes(content)
    assert len(TableDataset(table)) == 4
    with pytest.raises(UnreadableImageError, match=r'1 of 3 images .*p2\.jpg'):
        TableDataset(table, verify=True)


def test_empty_splits(tmp_path):
    rows = [('a.jpg', 'x', '', '', 'test'), ('b.jpg', 'y', '', '', 'query')]
    write_images(tmp_path, rows)
    path = write_csv(tmp_path / 't.csv', rows)
    with pytest.raises(MissingDataError, match="split 'train'; found: query 1, test 1"):
        TableDataset(path)
    with pytest.raises(MissingDataError, match="'test' has no captions"):
        TableDataset(path, 'test', task='t2i')
    with pytest.raises(MissingDataError, match="nothing is in split 'gallery'"):
        TableDataset(path, 'test', task='i2i')
    path = write_csv(tmp_path / 't.csv', [])
    with pytest.raises(MissingDataError, match="'train'; found: nothing"):
        TableDataset(path)


def test_queries_without_any_match_are_an_error(tmp_path):
    rows = [('a.jpg', 'x', 0, '', 'query'), ('b.jpg', 'y', 1, '', 'gallery')]
    write_images(tmp_path, rows)
    path = write_csv(tmp_path / 't.csv', rows)
    find = TableDataset.find_problems
    (problem,) = find(table=path, split='test', task='i2i')
    assert 'none of the 1 query identities (x) is in the gallery (y)' in problem


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'split': 'query'}, "no split 'query'"),
        (
            {'split': 'test'},
            "needs task='t2i' or task='i2i' for split 'test', got None",
        ),
        ({'split': 'test', 'task': 'i2t'}, "got 'i2t'"),
        ({'task': 'i2i'}, "'train' is the same for all"),
        ({'split': 'val', 'task': 'i2i'}, "set split='test'"),
    ],
)
def test_invalid_options(table, options, message):
    with pytest.raises(ValueError, match=message):
        TableDataset(table, **options)
    with pytest.raises(ValueError, match=message):
        TableDataset.find_problems(table=table, **options)


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(
        own_data_module, 'log', lambda text, **options: messages.append(text)
    )
    return messages


def write_test_rows(tmp_path, *rows):
    rows = [
        (f'{i}.jpg', pid, camid, '', split)
        for i, (pid, camid, split) in enumerate(rows)
    ]
    write_images(tmp_path, rows)
    return write_csv(tmp_path / 't.csv', rows)


def test_warnings_about_overlap_and_unmatched_queries(tmp_path, warnings):
    path = write_test_rows(
        tmp_path,
        ('x', 0, 'query'),
        ('x', 1, 'gallery'),
        ('y', 0, 'query'),  # in the gallery only by its own camera
        ('y', 0, 'gallery'),
        ('z', 0, 'query'),  # not in the gallery
        ('x', 0, 'train'),
        ('w', 0, 'train'),
    )
    TableDataset(path, 'test', task='i2i')
    overlap, unmatched, same_camera = warnings
    assert (
        "1 of 3 identities of split 'test' are both trained on and tested: x" in overlap
    )
    assert '1 of 3 queries will be skipped' in unmatched
    assert 'gallery: z.' in unmatched
    assert '1 of 3 queries only have matches by their own camera: y' in same_camera
    del warnings[:]
    TableDataset(path)
    assert len(warnings) == 1
    assert "1 of 2 identities of split 'train'" in warnings[0]


def test_warning_about_unknown_cameras(tmp_path, warnings):
    path = write_test_rows(tmp_path, ('x', '', 'query'), ('x', 1, 'gallery'))
    TableDataset(path, 'test', task='i2i')
    (message,) = warnings
    assert "needs same_camera='keep'" in message


def test_no_warnings_without_reason(table, warnings):
    TableDataset(table)
    TableDataset(table, 'test', task='t2i')
    assert warnings == []


def test_build_from_registry_and_join(table, tmp_path):
    config = dict(type='TableDataset', table=table, split='train')
    assert len(DATASETS.build(config)) == 4
    market = make_market(tmp_path / 'market', num_ids=2, images_per_id=2)
    joint = JointDataset(
        t2i=config,
        i2i=dict(type='Market1501', data_root=str(market), expected=None),
    )
    assert joint.num_ids == 4


cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(['train', 'test', 'nan', '-1', '1.0', 'a.jpg', '007']),
    st.lists(st.integers(), max_size=1),
)
record = st.dictionaries(st.sampled_from(COLUMNS), cell)
likely = st.fixed_dictionaries(
    {
        'path': st.text(max_size=3),
        'pid': st.one_of(st.integers(-1, 9), st.text(max_size=2)),
        'split': st.sampled_from(ROW_SPLITS),
    },
    optional={'camid': cell, 'caption': cell},
)
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def check_rows(path):
    """Read any file: its rows are valid, or a documented error is raised."""
    try:
        rows = read_rows(str(path), 'root')
        numbers = number_identities(row.identity for row in rows)
    except AnnotationError as error:
        str(error).encode()  # must be printable
        return
    for row in rows:
        assert row.split in ROW_SPLITS
        assert row.camid >= -1
        assert row.identity.strip()
        assert row.caption is None or row.caption.strip()
        assert np.int64(numbers[row.identity]) >= 0
    assert len(set(numbers.values())) == len(numbers)


@quick
@given(records=st.lists(st.one_of(record, likely, cell), max_size=4))
def test_fuzz_json(tmp_path, records):
    path = tmp_path / 't.json'
    path.write_text(json.dumps(records))
    check_rows(path)
    lines = tmp_path / 't.jsonl'
    lines.write_text('\n'.join(map(json.dumps, records)))
    check_rows(lines)


@quick
@given(records=st.lists(likely, max_size=4))
def test_fuzz_csv_cells(tmp_path, records):
    rows = [[str(record.get(name, '')) for name in COLUMNS] for record in records]
    try:
        path = write_csv(tmp_path / 't.csv', rows)
    except (UnicodeEncodeError, csv.Error):  # a lone surrogate; NUL in Python 3.10
        return
    check_rows(path)


@quick
@given(
    content=st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda t: t.encode('utf-8', 'replace')),
    ),
    header=st.booleans(),
    suffix=st.sampled_from(['csv', 'json', 'jsonl']),
)
def test_fuzz_bytes(tmp_path, content, header, suffix):
    path = tmp_path / f't.{suffix}'
    path.write_bytes(b'path,pid,split\n' * header + content)
    check_rows(path)
