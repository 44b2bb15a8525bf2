"""Each check on items made by hand."""

from hplreid.datasets import TokenizeCaption
from hplreid.datasets.counts import Counts
from hplreid.datasets.doctor.checks.captions import check_captions, count_tokens
from hplreid.datasets.doctor.checks.copies import check_copies
from hplreid.datasets.doctor.checks.files import check_shapes
from hplreid.datasets.doctor.checks.identities import (
    check_cameras,
    check_counts,
    check_held_out,
    check_parts,
    check_queries,
)
from hplreid.datasets.doctor.file_inspection import (
    FileFacts,
)
from tests.doctor_splits import facts_of, make_item, make_split


def test_counts_are_compared_with_published_ones():
    items = [make_item(1), make_item(1, 1), make_item(2)]
    published = {'train': Counts(2, 3)}
    assert check_counts(make_split(items)) == []
    assert check_counts(make_split(items, published=published)) == []
    (finding,) = check_counts(make_split(items[:2], published=published))
    assert finding.examples == (
        'train: found 1 identities, 2 images; published 2 identities, 3 images',
    )


def test_cameras():
    train = [
        make_item(1),
        make_item(1, 0, path='b'),
        make_item(2, 0),
        make_item(2, 1),
        make_item(3, -1),
    ]
    (finding,) = check_cameras(make_split(train))
    assert finding.examples == ('identity 1 (camera 0)',)
    assert check_cameras(make_split([make_item(1, caption='a man')])) == []
    test = [make_item(1, 0, 'query'), make_item(1, -1, 'gallery')]
    (finding,) = check_cameras(make_split(test, 'set test'))
    assert (finding.check, finding.count) == ('unknown camera', 1)
    assert check_cameras(make_split(test, 'set test', same_camera='keep')) == []


def test_queries_without_match():
    items = [
        make_item(1, 0, 'query'),
        make_item(1, 1, 'query', path='other camera'),
        make_item(2, 0, 'query', path='absent'),
        make_item(1, 0, 'gallery'),
        make_item(3, 0, 'gallery'),
    ]
    split = make_split(items, 'set test')
    (finding,) = check_queries(split)
    assert finding.examples == ('query_1_0 (identity 1)', 'absent (identity 2)')
    (finding,) = check_queries(make_split(items, 'set test', same_camera='keep'))
    assert finding.examples == ('absent (identity 2)',)
    words = [
        make_item(1, 0, 'gallery'),
        make_item(1, 0, 'query', caption='one'),
        make_item(2, 0, 'query', caption='two'),
    ]
    (finding,) = check_queries(make_split(words, 'set test'))
    assert finding.examples == ('two (identity 2)',)


def test_split_needs_queries_and_gallery():
    split = make_split([make_item(1, 0, 'gallery')], 'set test')
    (finding,) = check_parts(split)
    assert finding.examples == ('query',)
    assert check_queries(split) == []
    assert check_queries(make_split([make_item(1, 0, 'query')], 'set test')) == []
    assert check_parts(make_split([make_item(1)])) == []


def test_identities_in_training_and_test():
    train = make_split([make_item(0), make_item(1), make_item(2)])
    test = make_split(
        [make_item(0, 0, 'gallery'), make_item(2, 0, 'query')], 'set test'
    )
    (finding,) = check_held_out([train, test])
    assert finding.examples == ('identity 2',)
    other = make_split(test.items, 'other test', 'other')
    assert check_held_out([train, other]) == []
    captioned = [make_item(0, 0, 'gallery'), make_item(0, 0, 'query', caption='zero')]
    (finding,) = check_held_out([train, make_split(captioned, 'set test')])
    assert finding.examples == ('identity 0',)  # t2i datasets have no distractors


def test_long_captions_are_those_that_the_pipeline_truncates():
    words = ['blue'] * 75
    fits, long = ' '.join(words), ' '.join([*words, 'shoes'])
    items = [make_item(1, caption=fits), make_item(2, caption=long)]
    tokens = count_tokens([fits, long])
    assert tokens == {fits: 77, long: 78}
    wide = TokenizeCaption(200)
    assert [int((wide(dict(i))['tokens'] > 0).sum()) for i in items] == [77, 78]
    (finding,) = check_captions(make_split(items), tokens)
    assert (finding.check, finding.severity) == ('long caption', 'warning')
    assert finding.examples[0].startswith("78 tokens: 'blue blue")


def test_captions_of_several_identities():
    items = [
        make_item(1, caption='A man.'),
        make_item(1, 1, caption='A man.'),
        make_item(2, caption='A coat.'),
        make_item(3, caption='A coat.'),
    ]
    tokens = count_tokens([i['caption'] for i in items])
    (finding,) = check_captions(make_split(items), tokens)
    assert finding.examples == ("2 identities: 'A coat.'",)


def test_unusual_shapes_and_modes():
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


def test_copies_are_reported_once_as_the_most_serious_fault():
    train = make_split(
        [make_item(1, path='a'), make_item(2, path='b'), make_item(3, path='c')]
    )
    test = make_split([make_item(4, 0, 'gallery', path='d')], 'set test')
    same = {'source': 'set'}
    leak = facts_of(a=b'1', b=b'2', c=b'3', d=b'1')
    assert [f.check for f in check_copies([train, test], leak)] == [
        'test image trained on'
    ]
    other = make_split(test.items, 'other test', 'other')
    assert [f.examples for f in check_copies([train, other], leak)] == [('a = d',)]
    clash = facts_of(a=b'1', b=b'1', c=b'3', d=b'4')
    assert [f.examples for f in check_copies([train, test], clash)] == [
        ('a (identity 1) = b (identity 2)',)
    ]
    twice = make_split([make_item(1, path='a'), make_item(1, path='b')], **same)
    (finding,) = check_copies([twice], clash)
    assert (finding.severity, finding.check) == ('warning', 'image twice')
    assert check_copies([train, test], facts_of(a=b'1', b=b'2', c=b'3', d=b'4')) == []


def test_copies_between_tasks_and_broken_files_are_allowed():
    train = make_split([make_item(1, path='a', caption='a man')])
    test = make_split([make_item(4, 0, 'gallery', path='d')], 'other test', 'other')
    assert check_copies([train, test], facts_of(a=b'1', d=b'1')) == []
    broken = {'a': FileFacts('empty file'), 'b': FileFacts('empty file')}
    assert (
        check_copies(
            [make_split([make_item(1, path='a'), make_item(2, path='b')])], broken
        )
        == []
    )


def test_file_listed_with_two_identities():
    split = make_split([make_item(1, path='a'), make_item(2, path='a')])
    (finding,) = check_copies([split], facts_of(a=b'1'))
    assert finding.check == 'one image, two identities'
