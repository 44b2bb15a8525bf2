"""Overlap of splits of different datasets."""

from hplreid.datasets.doctor.file_inspection import (
    inspect_files,
)
from hplreid.datasets.doctor.overlap import count_shared_identities, find_overlaps
from hplreid.datasets.doctor.report import Report
from hplreid.datasets.doctor.split_reader import read_splits
from tests.doctor_splits import configs_of, facts_of, make_item, make_split
from tests.helpers import (
    make_cuhk_pedes,
    make_market,
    market_name,
)


def test_overlap_of_two_datasets(tmp_path):
    market = make_market(tmp_path / 'market')
    copied = market / 'bounding_box_train' / market_name(2, 1, 0)
    # Identity 1 is Market's 2, and 2 is Market's 3; one file is a copy
    cuhk = make_cuhk_pedes(
        tmp_path / 'cuhk', market={1: 2, 2: 3}, market_files=[copied]
    )
    first, _ = read_splits(configs_of('CUHKPEDES', cuhk))
    second, _ = read_splits(
        [
            *configs_of('Market1501', market),
            *configs_of('Market1501', market, split='test'),
        ]
    )
    facts = inspect_files([p for s in (*first, *second) for p in s.paths])
    (overlap,) = find_overlaps(first, second, facts)
    assert (overlap.first, overlap.second) == ('CUHK-PEDES train', 'Market-1501 train')
    assert (overlap.images, overlap.people) == (1, 2)
    assert overlap.examples[0].endswith(str(copied))
    (mirrored,) = find_overlaps(second, first, facts)
    assert (mirrored.images, mirrored.people) == (1, 2)


def test_why_identities_can_not_be_counted():
    captioned = [make_item(1, path='imgs/Market/me.jpg', caption='a man')]
    words = make_split(captioned, benchmark='CUHK-PEDES')
    images = make_split([make_item(1)], source='b', benchmark='Market-1501')
    count, note = count_shared_identities(images, words)
    assert count is None
    assert 'does not start with the four digits' in note
    copy = make_split(
        [make_item(1)], 'a train', benchmark='Market-1501', original_pids=False
    )
    assert count_shared_identities(words, copy)[1].startswith(
        'a train may be renumbered'
    )
    unmatchable = make_split(captioned, benchmark='RSTPReid')
    msmt17 = make_split([make_item(1)], source='b', benchmark='MSMT17')
    assert 'renamed and renumbered' in count_shared_identities(unmatchable, msmt17)[1]
    assert count_shared_identities(unmatchable, images) == (None, '')
    (overlap,) = find_overlaps([unmatchable], [msmt17], facts_of(**{
        'imgs/Market/me.jpg': b'1', 'train_1_0': b'2'
    }))  # fmt: skip
    report = Report('x', [], [], [overlap], 2)
    assert '| set train | set train     | 0      | (1)' in report.to_text()
    assert '\n(1) RSTPReid was drawn from MSMT17' in report.to_text()
