"""A table of what the images of a dataset on disk show, for scores by group."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from .part_maps import render_again
from .person_image import PersonImage
from .writing.layouts import CUHK

COLUMNS = ('path', 'caption', 'hidden', 'occluder', 'view', 'walking')
_AT_ONCE = 32  # images of a few MiB each
_SOME, _MUCH = 0.5, 10.5  # percent, as they are rounded


def describe_images(
    root: str | Path, paths: Sequence[str | Path]
) -> Iterator[dict[str, str]]:
    """Yield what images show: a row for each, or for each caption of one.

    Args:
        root: Folder of the dataset, with its manifest.
        paths: Images in it.

    Yields:
        ``path``, relative to the folder; ``caption``, empty for an image that has none;
        ``hidden``, how much of the person something stands in front of: ``'0 %'``,
        ``'1 to 10 %'`` or ``'over 10 %'``; ``occluder``, what does so, or ``'none'``;
        ``view``; and ``walking``.

    Raises:
        FileNotFoundError: The folder has no manifest of SynthPeds.
        ValueError: A path is none of its images, or has been changed.

    Example:
        >>> from hplreid.synthpeds import make_synthpeds
        >>> _ = make_synthpeds('tiny', 'tiny', workers=1, progress=False)
        >>> path = 'tiny/Market-1501-v15.09.15/query/0001_c3s3_000034_01.jpg'
        >>> (row,) = describe_images('tiny', [path])
        >>> row['hidden'], row['occluder'], row['view'], row['walking']
        ('0 %', 'none', 'back', 'no')
    """
    root = Path(root).resolve()
    captions = _read_captions(root)
    for start in range(0, len(paths), _AT_ONCE):
        some = [Path(path).resolve() for path in paths[start : start + _AT_ONCE]]
        for path, image in zip(some, render_again(root, some), strict=True):
            inside = path.relative_to(root).as_posix()
            for caption in captions.get(inside, ['']):
                yield {'path': inside, 'caption': caption, **_describe(image)}


def _describe(image: PersonImage) -> dict[str, str]:
    percent = 100 * image.hidden
    hidden = '1 to 10 %' if percent < _MUCH else 'over 10 %'
    return {
        'hidden': '0 %' if percent < _SOME else hidden,
        'occluder': image.occluder or 'none',
        'view': image.view,
        'walking': 'yes' if image.walking else 'no',
    }


def _read_captions(root: Path) -> dict[str, list[str]]:
    """Return the captions of each image that has some, by its path in the folder."""
    file = root / CUHK / 'reid_raw.json'
    if not file.is_file():
        return {}
    return {
        f'{CUHK}/imgs/{entry["file_path"]}': entry['captions']
        for entry in json.loads(file.read_text(encoding='utf-8'))
    }
