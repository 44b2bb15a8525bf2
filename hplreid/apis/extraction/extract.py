"""Encoding a list of images to a file, in parts that outlive a kill."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hplreid.datasets import UnreadableImageError
from hplreid.engine.results.fingerprints import hash_weights
from hplreid.version import __version__

from ..inferencer import ReIDInferencer
from ..inputs import ImageSource
from .feature_table import check_format, write_feature_table
from .listing import Entry, ListingError
from .parts import Parts, hash_entries

PART = 1024
"""Images of a part: what a kill loses at most."""


def extract_features(
    inferencer: ReIDInferencer,
    entries: Sequence[Entry],
    out: str | Path,
    task: str = 'i2i',
    *,
    strict: bool = False,
    overwrite: bool = False,
    part: int = PART,
    shard: tuple[int, int] | None = None,
) -> dict[str, str]:
    """Encode images and write their features, with paths and ids, to a file.

    Parts are kept in ``<out>.parts`` until the file is complete. After a kill the same
    call goes on; what is kept is of the same weights, images and task. Many processes
    share the work by ``shard``, and a call without it joins what they did.

    Args:
        inferencer: The model. Its progress bar is that of the whole list.
        entries: The images.
        out: The file, ``*.safetensors`` or ``*.parquet``.
        task: ``'i2i'`` or ``'t2i'``.
        strict: Whether an image that can't be read is an error.
        overwrite: Whether ``out``, and parts of another extraction, are replaced.
        part: Images of a part.
        shard: Number of this process, from 0, and of all: its share of the parts is
            encoded, and no file is written.

    Returns:
        The images that can't be read, and why; they have no row in the file. Of a shard
        those of its parts.

    Raises:
        ListingError: There are no images, or none can be read, or ``out`` exists; or
            ``shard`` is none, or ``overwrite`` goes with it.
        OtherExtractionError: There are parts of another extraction.
        FeatureTableError: ``out`` has another ending.
        UnreadableImageError: ``strict``, and an image can't be read.

    Example:
        >>> from PIL import Image
        >>> Image.new('RGB', (4, 8)).save('a.png')
        >>> _ = Path('b.png').write_bytes(b'no image')
        >>> inferencer = ReIDInferencer(
        ...     'clip_tiny_synthpeds-t2i_sdm', 'pretrained', progress=False
        ... )
        >>> entries = [Entry('a.png'), Entry('b.png')]
        >>> list(extract_features(inferencer, entries, 'a.safetensors'))
        ['b.png']
    """
    out = Path(out)
    check_format(out)
    if out.exists() and not overwrite:
        raise ListingError(f"'{out}' exists: give --overwrite, or another OUT.")
    if not entries:
        raise ListingError('There are no images to encode.')
    if shard is not None:
        _check_shard(shard, out, overwrite)
    key = dict(
        task=task,
        images=len(entries),
        images_sha256=hash_entries(entries),
        weights_sha256=hash_weights(inferencer.model),
        precision=inferencer.precision.name,
        part=part,
        hplreid=__version__,
    )
    parts = Parts(out, key, overwrite)
    first, step = shard or (0, 1)
    numbers = range(-(-len(entries) // part))[first::step]
    images = sum(len(entries[number * part :][:part]) for number in numbers)
    shown, inferencer.progress = inferencer.progress, False
    try:
        with tqdm(total=images, desc='Images', unit='img', disable=not shown) as bar:
            for number in numbers:
                some = entries[number * part :][:part]
                if not parts.is_done(number):
                    start = number * part
                    _encode_part(inferencer, some, start, number, parts, task, strict)
                bar.update(len(some))
    finally:
        inferencer.progress = shown
    features, rows, failures = parts.read(numbers)
    if strict and failures:  # found before the run was strict
        raise UnreadableImageError(next(iter(failures.values())))
    if shard is not None:
        return failures
    if not len(rows):
        parts.remove()
        raise ListingError(
            f'None of {len(entries)} images can be read; the first: '
            f'{next(iter(failures.values()))}'
        )
    good = [entries[row] for row in rows]
    write_feature_table(out, good, features, dict(key, failures=failures))
    parts.remove()
    return failures


def _check_shard(shard: tuple[int, int], out: Path, overwrite: bool) -> None:
    number, count = shard
    if not 0 <= number < count:
        raise ListingError(f'shard={shard}: expected a number below the count.')
    if overwrite:  # one process would remove what another has written
        raise ListingError(
            f"Shards can't overwrite: remove '{out}' and '{out}.parts' before you "
            'start them.'
        )


def _encode_part(
    inferencer: ReIDInferencer,
    entries: Sequence[Entry],
    start: int,
    number: int,
    parts: Parts,
    task: str,
    strict: bool,
) -> None:
    sources = [ImageSource(entry.path, entry.path) for entry in entries]
    camids = [entry.camid for entry in entries]
    features, failures = [], {}
    for batch in inferencer.encode_images(sources, (task,), camids, strict):
        features.append(batch.features[task])
        failures.update(batch.failures)
    rows = [start + n for n, e in enumerate(entries) if e.path not in failures]
    found = [f for f in features if len(f)]
    joined = np.concatenate(found) if found else np.empty((0, 0), np.float32)
    parts.write(number, joined, rows, failures)
