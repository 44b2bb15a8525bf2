"""Reading ICFG-PEDES: MSMT17's folders, splits of its own."""

import json

import pytest

from hplreid.datasets import ICFGPEDES, AnnotationError, MissingDataError
from tests.benchmark_trees import make_icfg_pedes, write_captions

# Both folders occur in both splits; train/0002 and test/0002 are two identities
SPLITS = {'train': ['test/0002', 'train/0002'], 'test': ['train/0005', 'test/0001']}


def load(root, split='train', **options):
    return ICFGPEDES(str(root), split, **{'expected': None, **options})


def rows(dataset):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i['split'], i['pid'], i['camid'], i['caption']) for i in items]


@pytest.mark.parametrize('file', ['ICFG-PEDES.json', 'ICFG_PEDES.json'])
def test_train_split_follows_the_annotation_file(tmp_path, file):
    dataset = load(make_icfg_pedes(tmp_path, SPLITS, file=file))
    assert rows(dataset) == [
        *[
            ('train', 0, 2, 'Person 0, image 0.'),
            ('train', 0, 3, 'Person 0, image 1.'),
        ],
        *[
            ('train', 1, 2, 'Person 1, image 0.'),
            ('train', 1, 3, 'Person 1, image 1.'),
        ],
    ]
    assert dataset.metainfo['label_of'] == {0: 0, 1: 1}
    item = dataset.get_data_info(0)
    name = '0002_100_03_0303morning_0008_100.jpg'
    assert item['img_path'] == str(tmp_path / 'imgs' / 'test' / '0002' / name)
    assert item['source'] == 'ICFG-PEDES'


def test_gallery_images_then_query_captions(tmp_path):
    make_icfg_pedes(tmp_path, SPLITS, images_per_id=1)
    assert rows(load(tmp_path, 'test')) == [
        *[('gallery', 3, 2, None), ('gallery', 2, 2, None)],  # by path: test/, train/
        ('query', 3, 2, 'Person 3, image 0.'),
        ('query', 2, 2, 'Person 2, image 0.'),
    ]


def test_there_is_no_val(tmp_path):
    file = make_icfg_pedes(tmp_path, SPLITS) / 'ICFG-PEDES.json'
    with pytest.raises(ValueError, match=r"no split 'val': .*'train', 'test'"):
        load(tmp_path, 'val')
    entries = json.loads(file.read_text())
    write_captions(file, [dict(entries[0], split='val'), *entries[1:]])
    with pytest.raises(AnnotationError, match="split is 'val', not one of"):
        load(tmp_path)


def test_file_name_in_another_format_has_no_camera(tmp_path):
    file = make_icfg_pedes(tmp_path, SPLITS, images_per_id=1) / 'ICFG-PEDES.json'
    entry = json.loads(file.read_text())[0]
    old = tmp_path / 'imgs' / entry['file_path']
    old.rename(old.with_name('woman.jpg'))
    write_captions(file, [dict(entry, file_path='test/0002/woman.jpg')])
    assert load(tmp_path).get_data_info(0)['camid'] == -1


def test_missing_annotation_message_has_both_file_names(tmp_path):
    (tmp_path / 'imgs').mkdir()
    with pytest.raises(
        MissingDataError, match=r'ICFG-PEDES.json \(or ICFG_PEDES.json\)'
    ):
        load(tmp_path)


def test_published_counts():
    assert ICFGPEDES.published['train']['train'] == (3_102, 34_674)
    assert ICFGPEDES.published['test']['gallery'] == (1_000, 19_848)
