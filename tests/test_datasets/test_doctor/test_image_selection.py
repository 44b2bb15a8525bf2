"""Images of the sheets."""

from hplreid.datasets.doctor.file_inspection import (
    FileFacts,
)
from hplreid.datasets.doctor.image_selection import choose_sheet_images
from tests.doctor_splits import make_item, make_split


def test_sheet_images_are_valid_and_evenly_spaced():
    items = [
        make_item(pid, pid % 2, path=f'{pid}_{k}') for pid in range(40) for k in '012'
    ]
    facts = {i['img_path']: FileFacts() for i in items}
    facts['0_0'] = FileFacts('empty file')
    chosen = choose_sheet_images([make_split(items)], facts, num_ids=3, num_images=2)
    assert chosen == {
        0: {0: ['0_1', '0_2'], 20: ['20_0', '20_1'], 38: ['38_0', '38_1']},
        1: {1: ['1_0', '1_1'], 21: ['21_0', '21_1'], 39: ['39_0', '39_1']},
    }
