"""The gallery: items with their features, in a database, with what is known of them."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

from hplreid.apis import ReIDInferencer
from hplreid.version import __version__

from .calibration import Calibration
from .encoding import encode_query
from .errors import GalleryError, ItemError, QueryError
from .filters import Filters
from .hits import Found, Hit
from .items import Item, load_item
from .model_key import ModelKey
from .nearest import find_nearest_items
from .query import Query
from .stores import Point, Store, create_store, open_store

FORMAT = 1
_UNIT = 1e-3  # how far from 1 the length of a feature may be


class Gallery:
    """Items with features of one model, to search in.

    Make one with :meth:`create` or :meth:`open`, and close it, or use it in a ``with``
    block. What ``add``, ``upsert`` and ``remove`` have returned from is kept, however
    the process dies. In a folder, a gallery belongs to one process at a time.

    Args:
        store: Its database.
        inferencer: Its model, to encode queries with.

    Raises:
        GalleryError: The gallery is of a later version.
        OtherModelError: The model isn't the one whose features are there.

    Example:
        >>> key = ModelKey('0a', '1b', dict(i2i=2), 'ImageReID')
        >>> with Gallery.create('people', key) as gallery:
        ...     gallery.add(
        ...         [Item('a', camera='north'), Item('b')],
        ...         dict(i2i=np.eye(2, dtype=np.float32)),
        ...     )
        ...     found = gallery.search(Query(like=['a']))
        >>> [(hit.item.id, hit.score) for hit in found.hits]
        [('b', 0.0)]
        >>> with Gallery.open('people') as gallery:
        ...     gallery.count(), gallery.count(Filters(cameras=['north']))
        (2, 1)
    """

    def __init__(self, store: Store, inferencer: ReIDInferencer | None = None) -> None:
        self._store, self.inferencer = store, inferencer
        self._manifest = store.read_manifest()
        if self._manifest.get('format') != FORMAT:
            raise GalleryError(
                f"Gallery '{store.url}' has format {self._manifest.get('format')!r}, "
                f'this version of hplreid reads {FORMAT}: upgrade it, or index anew.'
            )
        self.key = ModelKey(**self._manifest['model'])
        if inferencer is not None:
            self.key.check_same(ModelKey.of(inferencer), store.url)

    @classmethod
    def create(
        cls,
        url: str | Path,
        model: ReIDInferencer | ModelKey,
        root: str | Path | None = None,
    ) -> 'Gallery':
        """Make an empty gallery.

        Args:
            url: A folder, or ``http://HOST:PORT/COLLECTION`` of a Qdrant server.
            model: The model whose features it will have.
            root: Folder that the paths of items are relative to; None without files.

        Raises:
            GalleryError: There is a gallery already, or the folder has other files.
            DatabaseError: The database isn't installed, or doesn't answer.
        """
        key = model if isinstance(model, ModelKey) else ModelKey.of(model)
        manifest = dict(
            format=FORMAT,
            model=key.to_json(),
            root=None if root is None else os.path.abspath(os.path.expanduser(root)),
            hplreid=__version__,
            calibrations={},
            index=None,
        )
        store = create_store(str(url), key.spaces, manifest)
        return cls._with(store, None if isinstance(model, ModelKey) else model)

    @classmethod
    def open(
        cls, url: str | Path, inferencer: ReIDInferencer | None = None
    ) -> 'Gallery':
        """Open a gallery.

        Args:
            url: See :meth:`create`.
            inferencer: Its model, which encodes queries.

        Raises:
            GalleryError: There is no gallery, or it's of a later version.
            GalleryInUseError: Another process has it open.
            OtherModelError: The model isn't the one whose features are there.
            DatabaseError: The database isn't installed, damaged, or doesn't answer.
        """
        return cls._with(open_store(str(url)), inferencer)

    @classmethod
    def _with(cls, store: Store, inferencer: ReIDInferencer | None) -> 'Gallery':
        try:
            return cls(store, inferencer)
        except BaseException:
            store.close()
            raise

    @property
    def url(self) -> str:
        """Where it is."""
        return self._store.url

    @property
    def root(self) -> str | None:
        """Folder that the paths of items are relative to."""
        return self._manifest['root']

    @property
    def tasks(self) -> tuple[str, ...]:
        """``'i2i'``, and ``'t2i'`` if its model reads captions."""
        return tuple(self.key.spaces)

    def add(
        self,
        items: Sequence[Item],
        features: Mapping[str, np.ndarray],
        model: ModelKey | None = None,
    ) -> None:
        """Add items; all are kept when it returns.

        Args:
            items: The items.
            features: Of each task of the gallery, ``(N, d)``, L2-normalized.
            model: Whose features they are, to be compared with the gallery's.

        Raises:
            ItemError: An id is there already, or twice in ``items``.
            GalleryError: Features are missing, of another shape, not finite or not
                normalized.
            OtherModelError: They are of another model.
            DatabaseError: The database can't write, or doesn't answer.
        """
        points = self._points(items, features, model)
        known = [p.payload['id'] for p in self._store.fetch([i.id for i in items])]
        if known:
            raise ItemError(
                f"Gallery '{self.url}' has {len(known)} of these items already, "
                f'{min(known)!r} among them: upsert replaces them.'
            )
        self._store.upsert(points)

    def upsert(
        self,
        items: Sequence[Item],
        features: Mapping[str, np.ndarray],
        model: ModelKey | None = None,
    ) -> None:
        """Add items, or replace those of the same id; see :meth:`add`."""
        self._store.upsert(self._points(items, features, model))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove items.

        Raises:
            ItemError: One isn't there; nothing is removed then.
        """
        ids = (ids,) if isinstance(ids, str) else list(ids)
        found = {point.payload['id'] for point in self._store.fetch(ids)}
        if missing := [id_ for id_ in ids if id_ not in found]:
            raise ItemError(
                f"Gallery '{self.url}' has no item {missing[0]!r}; nothing was removed."
            )
        if ids:
            self._store.remove(ids)

    def count(self, filters: Filters | None = None) -> int:
        """Return the number of items that filters let through."""
        return self._store.count(filters)

    def get(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return those of some items that are there, by their ids."""
        found = (Item.from_payload(p.payload) for p in self._store.fetch(list(ids)))
        return {item.id: item for item in found}

    def image(self, item: Item) -> Image.Image:
        """Return the image of an item, RGB, cut to its box.

        Nothing outside the gallery's root is read.

        Raises:
            ItemError: It has none, or its path leads out of the root.
            MissingDataError: The file doesn't exist.
            UnreadableImageError: It can't be decoded, or the box isn't in it.
        """
        return load_item(item, self.root)

    def items(self) -> Iterator[Item]:
        """Yield all items, in no order."""
        for points in self._store.scroll():
            yield from (Item.from_payload(point.payload) for point in points)

    def scroll(self) -> Iterator[tuple[list[Item], dict[str, np.ndarray]]]:
        """Yield all items with their features, some at a time, in no order."""
        for points in self._store.scroll(vectors=True):
            if points:
                yield (
                    [Item.from_payload(point.payload) for point in points],
                    {s: np.stack([p.vectors[s] for p in points]) for s in self.tasks},
                )

    def cameras(self) -> dict[str, int]:
        """Return the cameras, and how many items each has, by name."""
        return dict(sorted(self._store.values('camera').items()))

    def sources(self) -> dict[str, int]:
        """Return the sources, and how many items each has, by name."""
        return dict(sorted(self._store.values('source').items()))

    def calibration(self, task: str) -> Calibration | None:
        """Return the thresholds of a task; None if there are none."""
        values = self._manifest['calibrations'].get(task)
        return None if values is None else Calibration.from_json(values)

    def calibrate(self, task: str, calibration: Calibration) -> None:
        """Keep thresholds: ``'i2i'`` for queries of images, ``'t2i'`` for words.

        Raises:
            GalleryError: The gallery's model doesn't do the task.
        """
        if task not in self.tasks:
            raise GalleryError(
                f"Gallery '{self.url}' is searched for {' and '.join(self.tasks)}; "
                f"thresholds are for '{task}'."
            )
        self._manifest['calibrations'][task] = calibration.to_json()
        self._store.write_manifest(self._manifest)

    def search(
        self,
        query: Query,
        topk: int = 10,
        filters: Filters | None = None,
        far: float | None = None,
        *,
        approximate: bool = False,
    ) -> Found:
        """Find the items that are nearest to a query.

        Items that the query names, as like the person or not, aren't among the hits.

        Args:
            query: What to search for.
            topk: Hits, at most.
            filters: Which items are searched.
            far: False-accept rate of the threshold that tells matches, a share, one of
                those measured. Defaults to 1e-3 where that is.
            approximate: Whether to go through the index of :meth:`build_index`, quicker
                and with the recall that the result states; else all items are compared.

        Raises:
            QueryError: The query needs a model or an item that isn't there, ``topk`` is
                below 1, or the gallery has no index.
            GalleryError: The gallery is empty, or has no threshold at that rate.
            InputError: An image can't be used; see :meth:`.ReIDInferencer.search`.
            DatabaseError: The database doesn't answer.
        """
        if isinstance(topk, bool) or not isinstance(topk, int) or topk < 1:
            raise QueryError(f'topk={topk!r}: expected a whole number, at least 1.')
        if approximate and not self._manifest['index']:
            raise QueryError(
                f"Gallery '{self.url}' has no index for approximate searches: build it "
                'with build_index (tools/search.py index --approximate).'
            )
        if not self.count():
            raise GalleryError(f"Gallery '{self.url}' is empty: add items first.")
        encoded = encode_query(query, self._store, self.inferencer)
        missing = [task for task in encoded.vectors if task not in self.tasks]
        if missing:
            raise QueryError(
                f"Gallery '{self.url}' has no features to compare with words: its "
                'model reads none.'
            )
        named = {*query.like, *query.unlike}
        ranked = find_nearest_items(
            self._store, encoded.vectors, topk, filters, named, exact=not approximate
        )
        calibration = self.calibration(encoded.kind) if encoded.kind else None
        far, threshold = _choose_threshold(calibration, far, encoded.kind)
        return Found(
            query=query.describe(),
            hits=[
                Hit(
                    item=Item.from_payload(point.payload),
                    score=score,
                    far=None if calibration is None else calibration.rate(score),
                    match=None if threshold is None else score >= threshold,
                )
                for score, point in ranked
            ],
            searched=self.count(filters),
            far=far,
            threshold=threshold,
            recall=self._manifest['index']['recall'] if approximate else None,
        )

    def build_index(self, queries: int = 50, topk: int = 10) -> float:
        """Build the index of approximate searches, and measure its recall.

        Items that are added later are found, too. Build it again when there are many.

        Args:
            queries: Items whose neighbors are looked for, to measure.
            topk: Neighbors of each.

        Returns:
            The share of the true neighbors that approximate searches found.
        """
        self._store.build_index()
        recall = self._measure_recall(queries, topk)
        self._manifest['index'] = dict(recall=recall, queries=queries, topk=topk)
        self._store.write_manifest(self._manifest)
        return recall

    def _measure_recall(self, queries: int, topk: int) -> float:
        found = expected = 0
        sample = next(self._store.scroll(vectors=True, size=queries))
        for point in sample:
            for space, vector in point.vectors.items():
                listed = [
                    self._store.nearest(space, vector, topk, exact=exact)
                    for exact in (True, False)
                ]
                true, near = ({c.point.payload['id'] for c in one} for one in listed)
                found += len(true & near)
                expected += len(true)
        return found / expected if expected else 1.0

    def close(self) -> None:
        """Let others open it."""
        self._store.close()

    def __enter__(self) -> 'Gallery':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _points(
        self,
        items: Sequence[Item],
        features: Mapping[str, np.ndarray],
        model: ModelKey | None,
    ) -> list[Point]:
        if model is not None:
            self.key.check_same(model, self.url)
        ids = [item.id for item in items]
        if len({*ids}) < len(ids):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            raise ItemError(f'Item {twice!r} is given twice: ids are unique.')
        if {*features} != {*self.tasks}:
            raise GalleryError(
                f"Gallery '{self.url}' has features for {' and '.join(self.tasks)}; "
                f'got {" and ".join(features) or "none"}.'
            )
        for task, size in self.key.spaces.items():
            _check_features(task, features[task], (len(items), size))
        rows = {k: np.asarray(v, dtype=np.float32) for k, v in features.items()}
        return [
            Point(item.to_payload(), {task: v[n] for task, v in rows.items()})
            for n, item in enumerate(items)
        ]

    def describe(self) -> dict[str, Any]:
        """Return what is known of it, in values that JSON can hold."""
        return {**json.loads(json.dumps(self._manifest)), 'items': self.count()}


def _check_features(task: str, given: Any, shape: tuple[int, int]) -> None:  # noqa: ANN401
    array = np.asarray(given)
    if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
        raise GalleryError(
            f"Features for '{task}' are {array.dtype} {array.shape}: expected floats "
            f'{shape}, one row for each item.'
        )
    lengths = np.linalg.norm(array.astype(np.float64), axis=1)
    if wrong := np.flatnonzero(~(np.abs(lengths - 1) < _UNIT)).tolist():
        raise GalleryError(
            f"Features for '{task}', row {wrong[0]}: their length is "
            f'{lengths[wrong[0]]:.4g}, expected 1 (L2-normalized, finite).'
        )


def _choose_threshold(
    calibration: Calibration | None, far: float | None, kind: str | None
) -> tuple[float | None, float | None]:
    if calibration is not None:
        rates = [rate for rate, _ in calibration.points]
        far = far or (1e-3 if 1e-3 in rates else min(rates))
        return far, calibration.threshold(far)
    if far is not None and kind is not None:
        raise GalleryError(
            f"far={far:g}: the gallery has no thresholds for '{kind}'. Give it those "
            'that tools/analysis_tools/eval_features.py --verification --out wrote: '
            f'tools/search.py index ... --thresholds {kind}=FILE.'
        )
    return None, None
