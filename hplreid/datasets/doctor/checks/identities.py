"""Checks of identities and cameras: counts, queries without match, train-test leaks."""

from collections.abc import Sequence

from ...counts import count_images
from ...items import Item
from ..finding import Finding, make_findings
from ..split_reader import Split

_DISTRACTOR_PID = 0  # in i2i datasets


def check_counts(split: Split) -> list[Finding]:
    """Compare the counts of a split with the published ones."""
    if split.published is None:
        return []
    counts = count_images(split.items)
    differences = [
        f'{part}: found {counts.get(part, "nothing")}; published {expected}'
        for part, expected in split.published.items()
        if counts.get(part) != expected
    ]
    return make_findings(
        'error',
        'counts',
        split.name,
        differences,
        'the counts differ from the published ones',
        'Unpack it again. For data that only shares the layout set expected=None.',
    )


def check_parts(split: Split) -> list[Finding]:
    """Find a test split without queries or without a gallery."""
    if not split.held_out:
        return []
    existing = {item['split'] for item in split.items}
    return make_findings(
        'error',
        'nothing to search',
        split.name,
        [part for part in ('query', 'gallery') if part not in existing],
        'a test split needs queries and a gallery',
        'Check whether files or captions of this part are missing.',
    )


def check_cameras(split: Split) -> list[Finding]:
    """Find training identities with a single camera, and unknown test cameras.

    Cameras of t2i splits are not used, so they are not checked.
    """
    if split.task == 't2i':
        return []
    if split.held_out:
        unknown = [i['img_path'] for i in split.items if i['camid'] < 0]
        return make_findings(
            'error',
            'unknown camera',
            split.name,
            unknown if split.same_camera == 'drop' else [],
            "matches by the query's own camera cannot be excluded",
            "Add the cameras, or set same_camera='keep' in RetrievalMetric.",
        )
    cameras: dict[int, set[int]] = {}
    for item in split.items:
        cameras.setdefault(item['pid'], set()).add(item['camid'])
    single_camera = [
        f'identity {pid} (camera {min(camids)})'
        for pid, camids in sorted(cameras.items())
        if len(camids) == 1 and min(camids) >= 0
    ]
    return make_findings(
        'warning',
        'one camera only',
        split.name,
        single_camera,
        'identities seen by one camera teach nothing about differences of cameras',
        'Check whether images are missing or cameras are incorrect.',
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
        # check_cameras reports unknown cameras
        other = cameras - {query['camid']} if query['camid'] >= 0 else cameras
        return bool(other if drop else cameras)

    unmatched = [query for query in queries if not has_match(query)]
    return make_findings(
        'error',
        'query without a match',
        split.name,
        [f'{q["img_path"] or q["caption"]} (identity {q["pid"]})' for q in unmatched],
        f'of {len(queries):,} queries these have no match in the gallery'
        f'{" by another camera" * drop} and are excluded from all scores',
        'Check whether images of these identities are missing in the gallery.',
    )


def check_held_out(splits: Sequence[Split]) -> list[Finding]:
    """Find identities of a dataset that are in both training and test splits."""
    findings = []
    for train in splits:
        for test in splits:
            if train.held_out or not test.held_out or train.source != test.source:
                continue
            both = {i['pid'] for i in train.items} & {i['pid'] for i in test.items}
            both -= {_DISTRACTOR_PID} if test.task == 'i2i' else set()
            findings += make_findings(
                'error',
                'test identity trained on',
                f'{train.name} and {test.name}',
                [f'identity {pid}' for pid in sorted(both)],
                'these identities are in training and in the test split',
                'Remove them from one of the splits. If almost all are listed, check '
                'whether both splits number different identities from the same start.',
            )
    return findings
