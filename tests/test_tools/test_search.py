"""tools/search.py: galleries made, searched, changed, and what it refuses."""

import csv
import importlib.util
import json
import sys

import numpy as np
import pytest
from PIL import Image

from hplreid.search import Gallery, GalleryError, ItemError, OtherModelError, QueryError
from tests.helpers import make_market
from tests.test_apis.conftest import tiny_runs  # noqa: F401

from .programs import ROOT, run

pytest.importorskip('qdrant_edge', reason='galleries need the extra search')

MODEL = ('--model', 'clip_tiny_synthpeds-t2i_sdm', '--weights', 'pretrained')
THRESHOLDS = {
    'verification': {
        'distance': 'cosine',
        'points': [
            {'FAR at most': 0.001, 'FAR': 0.0, 'threshold': 0.9999},
            {'FAR at most': 0.1, 'FAR': 0.1, 'threshold': -1.0},
        ],
    }
}


@pytest.fixture(scope='module')
def tool():
    """The tool as a module, so that each call doesn't start a process."""
    spec = importlib.util.spec_from_file_location('tool', ROOT / 'tools/search.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def search(tool, monkeypatch, capsys):
    """A function that runs the tool, and returns what it printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['search.py', *map(str, arguments)])
        tool.main(tool.parse_args())
        return capsys.readouterr().out

    return call


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Images, one of them damaged, and a gallery of them."""
    folder = tmp_path_factory.mktemp('search')
    market = make_market(folder / 'market', num_test_ids=3)
    images = folder / 'crops'
    (market / 'bounding_box_test').rename(images)
    (images / 'broken.jpg').write_bytes(b'no image')
    done = run(
        *('search.py', 'index', folder / 'people', *MODEL, '--images', images),
        *('--pattern', r'_c(?P<camera>\d)|broken', '--source', 'shop'),
    )
    assert "1 images can't be read and aren't there" in done.stdout
    assert 'broken.jpg' in done.stdout
    return folder


def rows(printed):
    """Cells of each row of a table, its head first."""
    lines = [line for line in printed.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines]


def test_words_find_items_and_files_hold_them(search, folder):
    names = [folder / f'found.{kind}' for kind in ('json', 'csv', 'png')]
    printed = search(
        *('query', folder / 'people', *MODEL, '--words', 'a person in a red shirt'),
        *('--topk', 3, '--out', *names),
    )
    assert 'items searched, exactly' in printed
    table = rows(printed)
    assert table[0] == ['rank', 'score', 'id', 'camera', 'source']
    found = json.loads(names[0].read_text('utf-8'))
    assert found['exact'] is True
    assert [hit['id'] for hit in found['hits']] == [row[2] for row in table[1:]]
    with names[1].open(encoding='utf-8') as file:
        written = list(csv.DictReader(file))
    assert [row['id'] for row in written] == [row[2] for row in table[1:]]
    assert len(written) == 3
    with Image.open(names[2]) as image:
        assert np.array(image).std() > 5


def test_an_image_finds_itself_in_its_camera(search, folder):
    image = min((folder / 'crops').glob('0*_c2*.jpg'))
    printed = search(
        *('query', folder / 'people', *MODEL, '--images', image, '--camera', 2),
    )
    head, *hits = rows(printed)
    assert hits[0][head.index('id')] == image.name
    assert float(hits[0][1]) == pytest.approx(1, abs=1e-3)
    assert {hit[head.index('camera')] for hit in hits} == {'2'}


def test_thresholds_and_the_index_are_added_later(search, folder):
    path = folder / 'report_thresholds.json'
    path.write_text(json.dumps(THRESHOLDS))
    printed = search(
        *('index', folder / 'people', '--approximate', '--thresholds', f'i2i={path}'),
    )
    assert 'of the 10 nearest items' in printed
    ids = sorted(file.name for file in (folder / 'crops').glob('0*.jpg'))
    printed = search(
        *('query', folder / 'people', '--like', ids[0], '--approximate'),
        *('--far', 0.1),
    )
    assert 'approximately (recall' in printed
    assert 'match: score of at least -1.0000, false-accept rate 0.1' in printed
    head, *hits = rows(printed)
    assert ids[0] not in {hit[head.index('id')] for hit in hits}
    assert {hit[head.index('match')] for hit in hits} == {'yes'}
    known = json.loads(search('info', folder / 'people'))
    assert known['calibrations']['i2i']['source'] == path.name
    assert known['sources'] == {'shop': known['items']}


def test_items_are_removed_and_come_back(search, folder):
    id_ = min(file.name for file in (folder / 'crops').glob('0*.jpg'))
    before = json.loads(search('info', folder / 'people'))['items']
    removed = search('remove', folder / 'people', '--ids', id_)
    assert f'1 items removed, {before - 1} left' in removed
    with pytest.raises(ItemError, match='nothing was removed'):
        search('remove', folder / 'people', '--ids', id_)
    printed = search(
        *('index', folder / 'people', *MODEL, '--images', folder / 'crops'),
        *('--pattern', r'_c(?P<camera>\d)|broken', '--source', 'shop'),
    )
    assert f'1 items added, {before - 1} there already, {before} in all' in printed


def test_a_copy_is_the_same_gallery(search, folder):
    search('index', folder / 'copy', '--from', folder / 'people')
    one, two = (json.loads(search('info', folder / n)) for n in ('people', 'copy'))
    assert one.pop('index') is None or one  # the copy has no index yet
    assert two.pop('index') is None
    assert one == two


def test_a_benchmark_has_cameras_and_identities(search, tiny_runs, tmp_path):  # noqa: F811
    published, _ = tiny_runs('HPL').published
    people = tmp_path / 'people'
    printed = search('index', people, '--model', published, '--benchmark', 'i2i')
    known = json.loads(search('info', people))
    assert f'{known["items"]} items added' in printed
    assert {*known['cameras']} == {'0', '1'}
    assert known['sources'] == {'i2i': known['items']}
    with Gallery.open(people) as gallery:
        for item in gallery.items():
            pid, camera = item.path.split('/')[-1].split('_')[:2]
            assert item.camera == str(int(camera[1]) - 1)
            assert int(item.meta['pid']) == int(pid)


def test_another_model_is_refused(search, folder):
    search('index', folder / 'other', '--from', folder / 'people')
    manifest = folder / 'other/gallery.json'
    known = json.loads(manifest.read_text('utf-8'))
    known['model']['weights'] = 64 * '0'
    manifest.write_text(json.dumps(known))
    with pytest.raises(OtherModelError, match='features of another model: its weights'):
        search('query', folder / 'other', *MODEL, '--words', 'a person')


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        (['query', 'people', '--words', 'a'], QueryError, 'give --model'),
        (['query', 'people', *MODEL], QueryError, 'nothing to search for'),
        (['query', 'gone', '--like', 'a'], GalleryError, 'There is no gallery in'),
        (['query', 'people', '--like', 'a'], QueryError, "has no item 'a'"),
        (['query', 'people', '--like', 'a', '--out', 'a.txt'], QueryError, 'ends in'),
        (['query', 'people', '--like', 'a', '--since', 'x'], QueryError, 'a date'),
        (['index', 'new', '--images', 'crops'], QueryError, 'give --model'),
        (['index', 'new'], GalleryError, 'to make one, give --model'),
        (['index', 'people', '--thresholds', 'a.json'], QueryError, 'expected i2i='),
    ],
)
def test_slips_are_messages(search, folder, monkeypatch, arguments, error, message):
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=message):
        search(*arguments)
    assert not (folder / 'new').exists()


def test_a_slip_ends_a_process_with_two(folder):
    done = run('search.py', 'info', folder / 'gone', check=False)
    assert done.returncode == 2
    assert 'There is no gallery in' in done.stderr
    assert 'Traceback' not in done.stderr
