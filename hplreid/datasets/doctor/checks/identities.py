"""Identities and cameras: who can be learned, who can be found, who is in both."""

from collections.abc import Sequence

from ...counts import count_images
from ...items import Item
from ..finding import Finding, found
from ..split_reader import Split

_NOBODY = 0  # distractors of image sets


def check_counts(split: Split) -> list[Finding]:
    """Compare the counts of a split with the published ones."""
    if split.published is None:
        return []
    counts = count_images(split.items)
    other = [
        f'{part}: found {counts.get(part, "nothing")}; published {expected}'
        for part, expected in split.published.items()
        if counts.get(part) != expected
    ]
    return found(
        'error',
        'counts',
        split.name,
        other,
        'this is not the published dataset',
        'Unpack it again. For data that only shares the layout set expected=None.',
    )


def check_parts(split: Split) -> list[Finding]:
    """Find a test split in which nothing is searched for, or in nothing."""
    if not split.held_out:
        return []
    there = {item['split'] for item in split.items}
    return found(
        'error',
        'nothing to search',
        split.name,
        [part for part in ('query', 'gallery') if part not in there],
        'a test split needs queries and a gallery',
        'Look whether files, or captions, of this part were left out.',
    )


def check_cameras(split: Split) -> list[Finding]:
    """Find people seen by one camera only in training, and unknown cameras in tests.

    Of a text-image set cameras don't matter.
    """
    if split.task == 't2i':
        return []
    if split.held_out:
        unknown = [i['img_path'] for i in split.items if i['camid'] < 0]
        return found(
            'error',
            'unknown camera',
            split.name,
            unknown if split.same_camera == 'drop' else [],
            "images of the query's own camera can not be left out",
            "Name the cameras, or set same_camera='keep' in RetrievalMetric.",
        )
    cameras: dict[int, set[int]] = {}
    for item in split.items:
        cameras.setdefault(item['pid'], set()).add(item['camid'])
    alone = [
        f'identity {pid} (camera {min(seen)})'
        for pid, seen in sorted(cameras.items())
        if len(seen) == 1 and min(seen) >= 0
    ]
    return found(
        'warning',
        'one camera only',
        split.name,
        alone,
        'nothing can be learned from them about how another camera shows a person',
        'Look whether images are missing, or cameras are written wrongly.',
    )


def check_queries(split: Split) -> list[Finding]:
    """Find queries without a match under the camera rule."""
    gallery: dict[int, set[int]] = {}
    queries = []
    for item in split.items:
        if item['split'] == 'gallery':
            gallery.setdefault(item['pid'], set()).add(item['camid'])
        elif item['split'] == 'query':
            queries.append(item)
    if not gallery:
        return []
    drop = split.task == 'i2i' and split.same_camera == 'drop'

    def has_match(query: Item) -> bool:
        cameras = gallery.get(query['pid'], set())
        # An unknown camera is another finding
        other = cameras - {query['camid']} if query['camid'] >= 0 else cameras
        return bool(other if drop else cameras)

    lost = [query for query in queries if not has_match(query)]
    return found(
        'error',
        'query without a match',
        split.name,
        [f'{q["img_path"] or q["caption"]} (identity {q["pid"]})' for q in lost],
        f'of {len(queries):,} queries these have no match in the gallery'
        f'{", from another camera" * drop}, and are left out of all scores',
        'Look whether images of these people are missing in the gallery.',
    )


def check_held_out(splits: Sequence[Split]) -> list[Finding]:
    """Find people of a dataset who are both trained on and tested."""
    findings = []
    for train in splits:
        for test in splits:
            if train.held_out or not test.held_out or train.source != test.source:
                continue
            both = {i['pid'] for i in train.items} & {i['pid'] for i in test.items}
            both -= {_NOBODY} if test.task == 'i2i' else set()
            findings += found(
                'error',
                'test identity trained on',
                f'{train.name} and {test.name}',
                [f'identity {pid}' for pid in sorted(both)],
                'these people are in training and in the test split',
                'Leave them out of one. (If it is nearly all: do both splits count '
                'people from the same number?)',
            )
    return findings
