"""Filling a gallery: items are encoded by its model, some at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hplreid.apis import ReIDInferencer
from hplreid.apis.preprocessing import describe_preprocessing
from hplreid.datasets import UnreadableImageError

from .errors import GalleryError, ItemError, QueryError
from .gallery import Gallery
from .items import Item, ItemSource
from .model_key import ModelKey

BATCH = 256
"""Items that are acknowledged at a time: what a kill loses at most."""


@dataclass
class Indexed:
    """What became of items.

    Attributes:
        added: Items that were encoded and are kept.
        known: Items that were there already, and were left as they are.
        failures: Ids of items whose images can't be read, and why.
    """

    added: int = 0
    known: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def index_images(
    gallery: Gallery,
    items: Sequence[Item],
    *,
    update: bool = False,
    strict: bool = False,
) -> Indexed:
    """Encode the images of items, and add them to a gallery.

    After a kill the same call goes on where it was.

    Args:
        gallery: Open, with its model.
        items: The items.
        update: Whether items that are there already are encoded anew.
        strict: Whether an image that can't be read is an error.

    Raises:
        QueryError: The gallery was opened without its model.
        ItemError: There are no items, or an id is given twice.
        GalleryError: ``strict``, and an image can't be read; or not one can be.
        ModelError: The model embeds cameras, and an item's isn't a number.

    Example:
        >>> from PIL import Image
        >>> Image.new('RGB', (4, 8)).save('a.png')
        >>> inferencer = ReIDInferencer(
        ...     'clip_tiny_synthpeds-t2i_sdm', 'pretrained', progress=False
        ... )
        >>> with Gallery.create('people', inferencer, root='.') as gallery:
        ...     done = index_images(gallery, [Item('a', 'a.png'), Item('b', 'b.png')])
        >>> done.added, list(done.failures)
        (1, ['b'])
    """
    if gallery.inferencer is None:
        raise QueryError('Images are encoded by a model: open the gallery with it.')
    if not items:
        raise ItemError('There are no items to index.')
    done = Indexed()
    with tqdm(
        total=len(items),
        desc='Items',
        unit='item',
        disable=not gallery.inferencer.progress,
    ) as bar:
        for start in range(0, len(items), BATCH):
            some = items[start : start + BATCH]
            _index_batch(gallery, some, done, update, strict)
            bar.update(len(some))
    if len(done.failures) == len(items):
        raise GalleryError(
            f'None of {len(items)} images can be read; the first: '
            f'{next(iter(done.failures.values()))}'
        )
    return done


def _index_batch(
    gallery: Gallery, items: Sequence[Item], done: Indexed, update: bool, strict: bool
) -> None:
    assert gallery.inferencer is not None
    known = {} if update else gallery.get([item.id for item in items])
    new = [item for item in items if item.id not in known]
    done.known += len(items) - len(new)
    good, features, failures = _encode(gallery, gallery.inferencer, new)
    if strict and failures:
        raise UnreadableImageError(next(iter(failures.values())))
    done.failures.update(failures)
    if good:
        (gallery.upsert if update else gallery.add)(good, features)
    done.added += len(good)


def _encode(
    gallery: Gallery, inferencer: ReIDInferencer, items: Sequence[Item]
) -> tuple[list[Item], dict[str, np.ndarray], dict[str, str]]:
    """Return the items that can be read, their features, and the failures."""
    sources = [ItemSource(item.id, item, gallery.root) for item in items]
    cameras = _cameras(inferencer, items)
    features: dict[str, np.ndarray] = {}
    failures: dict[str, str] = {}
    shown, inferencer.progress = inferencer.progress, False
    try:
        for tasks in _together(inferencer, gallery.tasks):
            found: dict[str, list[np.ndarray]] = {task: [] for task in tasks}
            for batch in inferencer.encode_images(
                sources, tasks, cameras, strict=False
            ):
                failures.update(batch.failures)
                for task in tasks:
                    if batch.names:
                        found[task].append(batch.features[task])
            features.update({t: np.concatenate(f) for t, f in found.items() if f})
    finally:
        inferencer.progress = shown
    return [item for item in items if item.id not in failures], features, failures


def _together(
    inferencer: ReIDInferencer, tasks: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield tasks that one pass over the images serves."""
    steps = describe_preprocessing(inferencer.config)['steps']
    if all(steps[task] == steps[tasks[0]] for task in tasks):
        yield tuple(tasks)
    else:
        yield from ((task,) for task in tasks)


def _cameras(inferencer: ReIDInferencer, items: Sequence[Item]) -> list[int] | None:
    if not getattr(inferencer.model.image_encoder, 'num_cameras', 0):
        return None
    try:
        return [int(str(item.camera)) for item in items]
    except ValueError:
        strange = next(i for i in items if not str(i.camera).isdecimal())
        raise ItemError(
            f'Item {strange.id!r}: camera={strange.camera!r}, and this model embeds '
            'cameras: expected the number that it was trained with, from 0.'
        ) from None


def copy_gallery(
    source: Gallery, url: str | Path, inferencer: ReIDInferencer | None = None
) -> tuple[Gallery, Indexed]:
    """Copy a gallery, to a server say, or index it anew with another model.

    Args:
        source: The gallery.
        url: Where to, see :meth:`.Gallery.create`.
        inferencer: The model to encode all images anew with. Defaults to copying the
            features as they are.

    Returns:
        The new gallery, open, and what became of the items. Thresholds are copied with
        features alone: they are a model's.

    Raises:
        GalleryError: See :meth:`.Gallery.create`.

    Example:
        >>> key = ModelKey('0a', '1b', dict(i2i=2), 'ImageReID')
        >>> with Gallery.create('old', key) as old:
        ...     old.add([Item('a')], dict(i2i=np.eye(2, dtype=np.float32)[:1]))
        ...     new, done = copy_gallery(old, 'new')
        >>> new.count(), done.added
        (1, 1)
        >>> new.close()
    """
    other = inferencer is not None and ModelKey.of(inferencer) != source.key
    model = inferencer if inferencer is not None and other else source.key
    gallery = Gallery.create(url, model, source.root)
    done = Indexed()
    try:
        for items, features in source.scroll():
            if other:
                _index_batch(gallery, items, done, update=True, strict=False)
            else:
                gallery.upsert(items, features, source.key)
                done.added += len(items)
        if not other:
            for task in source.tasks:
                if (calibration := source.calibration(task)) is not None:
                    gallery.calibrate(task, calibration)
    except BaseException:
        gallery.close()
        raise
    return gallery, done
