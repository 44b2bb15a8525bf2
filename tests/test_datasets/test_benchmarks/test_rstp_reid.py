"""Reading RSTPReid: ``img_path`` as key, cameras in the file names."""

import json

import pytest

from hplreid.datasets import AnnotationError, RSTPReid
from tests.benchmark_trees import make_rstpreid, write_captions


def load(root, split='train', **options):
    return RSTPReid(str(root), split, **{'expected': None, **options})


def items_of(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_train(tmp_path):
    dataset = load(make_rstpreid(tmp_path, num_ids=2, images_per_id=3))
    items = items_of(dataset)
    assert [(i['pid'], i['label'], i['camid'], i['caption']) for i in items] == [
        (pid, pid, 12 + k, f'Person {pid}, image {k}, note {note}.')
        for pid in (0, 1)
        for k in (0, 1, 2)
        for note in (0, 1)
    ]
    assert items[2]['img_path'] == str(tmp_path / 'imgs' / '0000_c14_0001.jpg')
    assert dataset.num_images == 6


@pytest.mark.parametrize(('split', 'pid'), [('val', 2), ('test', 3)])
def test_gallery_images_then_query_captions(tmp_path, split, pid):
    make_rstpreid(tmp_path, num_ids=2, images_per_id=3)
    items = items_of(load(tmp_path, split))
    assert [(i['split'], i['pid'], i['camid']) for i in items] == [
        *[('gallery', pid, camid) for camid in (12, 13, 14)],
        *[('query', pid, camid) for camid in (12, 12, 13, 13, 14, 14)],
    ]


@pytest.mark.parametrize('name', ['0000_14_0031.jpg', 'woman.jpg', '0000_c0_0031.jpg'])
def test_file_names_without_camera(tmp_path, name):
    file = make_rstpreid(tmp_path) / 'data_captions.json'
    entry = json.loads(file.read_text())[0]
    (tmp_path / 'imgs' / entry['img_path']).rename(tmp_path / 'imgs' / name)
    write_captions(file, [dict(entry, img_path=name)])
    with pytest.raises(AnnotationError, match=f"image '{name}' has no camera"):
        load(tmp_path)


def test_file_path_is_not_accepted_as_key(tmp_path):
    file = make_rstpreid(tmp_path) / 'data_captions.json'
    text = file.read_text().replace('img_path', 'file_path')
    file.write_text(text)
    with pytest.raises(AnnotationError, match='entry 0: has no img_path'):
        load(tmp_path)


def test_published_counts():
    images = [c.images for split in RSTPReid.published.values() for c in split.values()]
    ids = [c.ids for split in RSTPReid.published.values() for c in split.values()]
    assert (sum(ids), sum(images)) == (4_101, 20_505)
