"""Items, filters, queries and thresholds: what is taken, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from hplreid.apis import InputError
from hplreid.datasets.errors import MissingDataError, UnreadableImageError
from hplreid.search import (
    Filters,
    GalleryError,
    Item,
    ItemError,
    Query,
    QueryError,
    list_items,
    list_table_items,
    parse_time,
    read_calibration,
)
from hplreid.search.filters import show_time
from hplreid.search.items import decode_item, locate


def test_an_item_survives_its_payload():
    item = Item(
        'é/<b>1</b>',
        'north/1.jpg',
        b'\xff\xd8',
        'north "gate"',
        1.5,
        (1, 2, 3, 4),
        't7',
        'video',
        {'shop': 17, 'list': [1, None]},
    )
    payload = json.loads(json.dumps(item.to_payload()))
    assert Item.from_payload(payload) == item
    assert Item.from_payload(Item('a').to_payload()) == Item('a')


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(id=''), r"id='': expected text of 1 to 1024"),
        (dict(id=7), r'id=7'),
        (dict(path='../a.jpg'), 'leads out of the gallery'),
        (dict(path='a/../../b.jpg'), 'leads out'),
        (dict(path='/etc/passwd'), 'leads out'),
        (dict(path=r'..\a.jpg'), 'leads out'),
        (dict(path='C:/a.jpg'), 'leads out'),
        (dict(path='a\0.jpg'), 'is no path'),
        (dict(path=' '), 'is no path'),
        (dict(camera=3), 'camera=3, expected text'),
        (dict(time=float('nan')), 'time=nan, expected seconds'),
        (dict(time=True), 'time=True'),
        (dict(box=(0, 0, 0, 5)), r'box=\(0, 0, 0, 5\), expected whole'),
        (dict(box=(0, 0, 1.5, 5)), 'expected whole'),
        (dict(box=(-1, 0, 1, 5)), 'expected whole'),
        (dict(box=(1, 2, 3)), 'expected whole'),
        (dict(meta={'a': float('inf')}), 'that JSON can hold'),
        (dict(meta=[1]), 'that JSON can hold'),
        (dict(thumbnail='text'), 'the bytes of an image'),
    ],
)
def test_a_strange_item_is_refused(values, message):
    with pytest.raises(ItemError, match=message):
        Item(**{'id': 'a', **values})


def test_times_are_dates_in_utc_or_seconds():
    assert parse_time('2026-05-01T08:00:00Z') == 1777622400
    assert parse_time('2026-05-01 10:00+02:00') == parse_time('2026-05-01 08:00')
    assert parse_time(3) == 3
    assert show_time(parse_time('2026-05-01 08:00:30')) == '2026-05-01 08:00:30'
    assert show_time(3723.25) == '1:02:03.250'
    for strange in ('yesterday', 'nan', 'inf', None):
        with pytest.raises(QueryError, match='expected a date'):
            parse_time(strange)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(cameras=[3]), 'cameras has 3'),
        (dict(start=float('nan')), 'start=nan'),
        (dict(start=2.0, end=1.0), 'start=2.0 is after end=1.0'),
    ],
)
def test_strange_filters_are_refused(values, message):
    with pytest.raises(QueryError, match=message):
        Filters(**values)


@pytest.mark.parametrize(
    ('values', 'error', 'message'),
    [
        ({}, QueryError, 'nothing to search for'),
        (dict(words=['']), InputError, 'Caption 0 is empty'),
        (dict(words=7), InputError, 'captions=7: expected text'),
        (dict(words=[float('nan')]), InputError, 'Caption 0 is nan, a float'),
        (dict(words=['a man', 12.0]), InputError, 'Caption 1 is 12.0'),
        (dict(words='a', weight=1.5), QueryError, 'weight=1.5'),
        (dict(words='a', weight=float('nan')), QueryError, 'weight=nan'),
        (dict(words='a', weight=True), QueryError, 'weight=True'),
        (dict(images='gone.jpg'), MissingDataError, 'does not exist'),
        (dict(images=[3]), InputError, '3 is a int'),
        (dict(like=[3]), QueryError, 'like has 3'),
        (dict(like=['a'], unlike=['a']), QueryError, "'a' is in like and in unlike"),
        (dict(unlike=['a']), QueryError, 'nothing to search for'),
    ],
)
def test_a_strange_query_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        Query(**values)


def test_markup_in_a_caption_is_text():
    words = '<script>alert(1)</script> {{7*7}}'
    assert Query(words=words).describe() == {'words': [words]}


@pytest.fixture
def shots(tmp_path):
    """A folder with an image in an inner one."""
    (tmp_path / 'in').mkdir()
    pixels = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(30, 40, 3)
    Image.fromarray(pixels).save(tmp_path / 'in' / 'a_c3.png')
    return tmp_path


def test_a_folder_gives_items_with_what_a_pattern_finds(shots):
    items, root = list_items([str(shots)])
    assert (items, root) == ([Item('a_c3.png', 'a_c3.png')], str(shots / 'in'))
    items, root = list_items(
        [str(shots)], shots, source='x', pattern=r'(?P<who>\w)_c(?P<camera>\d)'
    )
    assert root == str(shots)
    expected = Item('in/a_c3.png', 'in/a_c3.png', camera='3', source='x')
    assert items[0].to_payload() == {**expected.to_payload(), 'meta': {'who': 'a'}}
    with pytest.raises(ItemError, match='outside of the gallery'):
        list_items([str(shots)], shots / 'other')
    with pytest.raises(ItemError, match='has no group in'):
        list_items([str(shots)], pattern=r'_d(?P<camera>\d)')
    with pytest.raises(ItemError, match='is no regular expression'):
        list_items([str(shots)], pattern='(')


def test_a_table_gives_items(shots):
    table = shots / 't.csv'
    table.write_text(
        'path,camid,time,left,top,width,height,track,shop\n'
        'in/a_c3.png,2,2026-05-01 08:00,1,2,10,20,7,17\n'
        f'{shots}/in/a_c3.png,,12.5,,,,,,\n'
    )
    (first, second), root = list_table_items(str(table))
    assert root == str(shots)
    assert first.id == 'in/a_c3.png#1,2,10,20'
    assert (first.box, first.camera, first.track) == ((1, 2, 10, 20), '2', '7')
    assert (first.time, first.meta) == (1777622400, {'shop': '17'})
    assert second.to_payload() == dict(id='in/a_c3.png', path='in/a_c3.png', time=12.5)


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ('path\n../x.png\n', r"line 2: .*path='../x.png' leads out"),
        ('path\n/etc/x.png\n', "'/etc/x.png' is outside of the gallery's root"),
        ('path,time\na.png,noon\n', r"line 2: time='noon'"),
        ('path,left,top\na.png,1,2\n', 'width=None'),
        ('path,left,top,width,height\na.png,0,0,nan,3\n', 'width=.nan'),
        ('path\na.png\na.png\n', 'line 3: id .a.png. is there already'),
        ('path\n', 'has no rows'),
        ('path,id\n ,x\n', 'is no path'),
    ],
)
def test_a_bad_table_is_refused(tmp_path, rows, message):
    (tmp_path / 't.csv').write_text(rows)
    with pytest.raises(ItemError, match=message):
        list_table_items(str(tmp_path / 't.csv'))


def test_an_image_is_cut_to_its_box(shots):
    whole = decode_item(Item('a', 'in/a_c3.png'), str(shots))
    cut = decode_item(Item('a', 'in/a_c3.png', box=(5, 6, 7, 8)), str(shots))
    np.testing.assert_array_equal(cut, whole[:, 6:14, 5:12])
    with pytest.raises(UnreadableImageError, match='40 x 30 pixels, and box='):
        decode_item(Item('a', 'in/a_c3.png', box=(35, 0, 6, 5)), str(shots))


def test_a_thumbnail_stands_in_for_a_file(shots):
    data = (shots / 'in' / 'a_c3.png').read_bytes()
    assert decode_item(Item('a', thumbnail=data), None).shape == (3, 30, 40)
    with pytest.raises(UnreadableImageError, match='thumbnail of a'):
        decode_item(Item('a', thumbnail=b'no image'), None)
    with pytest.raises(ItemError, match='features alone'):
        decode_item(Item('a'), None)
    with pytest.raises(ItemError, match='has no root'):
        decode_item(Item('a', 'a.png'), None)


def test_links_do_not_lead_out_of_the_root(shots):
    (shots / 'out.png').write_bytes((shots / 'in' / 'a_c3.png').read_bytes())
    (shots / 'in' / 'link.png').symlink_to(shots / 'out.png')
    (shots / 'in' / 'inner.png').symlink_to(shots / 'in' / 'a_c3.png')
    with pytest.raises(ItemError, match='a link that leads out'):
        locate('link.png', str(shots / 'in'))
    with pytest.raises(ItemError, match='a link that leads out'):
        decode_item(Item('a', 'link.png'), str(shots / 'in'))
    assert decode_item(Item('a', 'inner.png'), str(shots / 'in')).shape == (3, 30, 40)


def test_a_link_to_the_root_itself_is_followed(shots):
    (shots / 'same').symlink_to(shots / 'in')
    assert locate('a_c3.png', str(shots / 'same')) == str(shots / 'in' / 'a_c3.png')


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    small = tmp_path / 'bomb.png'
    Image.new('1', (20_000, 5_000)).save(small)  # 100 million pixels in 12 KB
    assert small.stat().st_size < 50_000
    with pytest.raises(UnreadableImageError, match='20000 x 5000 pixels, expected'):
        decode_item(Item('a', 'bomb.png'), str(tmp_path))
    Image.new('1', (20_000, 20_000)).save(small)  # Pillow itself refuses
    with pytest.raises(UnreadableImageError, match='is refused'):
        decode_item(Item('a', 'bomb.png'), str(tmp_path))


def test_what_is_no_plain_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(UnreadableImageError, match='is no file'):
        decode_item(Item('a', 'folder.png'), str(tmp_path))
    monkeypatch.setattr('hplreid.search.items.images.MOST_BYTES', 10)
    (tmp_path / 'a.png').write_bytes(b'0' * 11)
    with pytest.raises(UnreadableImageError, match='11 bytes: expected 10'):
        decode_item(Item('a', 'a.png'), str(tmp_path))


def write_thresholds(path, points, distance='cosine'):
    listed = [
        {'FAR at most': far, 'FAR': far, 'TAR, %': 50.0, 'threshold': threshold}
        for far, threshold in points
    ]
    path.write_text(
        json.dumps({'verification': {'distance': distance, 'points': listed}})
    )
    return path


def test_thresholds_tell_matches_at_a_stated_rate(tmp_path):
    path = write_thresholds(
        tmp_path / 'a.json', [(1e-1, 0.3), (1e-2, 0.5), (1e-3, 0.7), (1e-4, None)]
    )
    found = read_calibration(path)
    assert found.points == ((1e-3, 0.7), (1e-2, 0.5), (1e-1, 0.3))
    assert found.threshold(0.01) == 0.5
    rates = [found.rate(score) for score in (0.71, 0.7, 0.69, 0.3, 0.2)]
    assert rates == [1e-3, 1e-3, 1e-2, 1e-1, None]
    assert type(found).from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(GalleryError, match='far=0.05: a.json has thresholds at 0.001'):
        found.threshold(0.05)


def test_bad_thresholds_are_refused(tmp_path):
    with pytest.raises(GalleryError, match='do not exist'):
        read_calibration(tmp_path / 'gone.json')
    path = tmp_path / 'a.json'
    for text in ('no JSON', '[]', '{"verification": {}}'):
        path.write_text(text)
        with pytest.raises(GalleryError, match='is no file of thresholds'):
            read_calibration(path)
    write_thresholds(path, [(0.1, 0.3)], 'euclidean')
    with pytest.raises(GalleryError, match='of the euclidean distance'):
        read_calibration(path)
    write_thresholds(path, [(0.1, None)])
    with pytest.raises(GalleryError, match='has no threshold'):
        read_calibration(path)
