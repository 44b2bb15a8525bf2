"""A query as vectors: one for each kind of feature that it is compared with."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hplreid.apis import ReIDInferencer

from .errors import QueryError
from .query import Query
from .stores import Store

UNLIKE = 0.5
"""What the mean similarity to items that aren't the person counts."""


class QueryVectors(NamedTuple):
    """What a query is compared with the items of a gallery by.

    Attributes:
        vectors: For each space, ``(d,)``: an item's score is the sum of its products.
        kind: ``'i2i'`` for one image, ``'t2i'`` for one caption, which thresholds are
            for; None for all others.
    """

    vectors: Mapping[str, np.ndarray]
    kind: str | None


def encode_query(
    query: Query, store: Store, inferencer: ReIDInferencer | None
) -> QueryVectors:
    """Encode a query. All that it says is linear in the features of an item.

    Args:
        query: The query.
        store: Where the items that it names are.
        inferencer: The gallery's model; items alone don't need one.

    Raises:
        QueryError: An item isn't there, or a model is needed.
        ModelError: The model reads no captions.

    Example:
        >>> from hplreid.search.stores import Point, create_store
        >>> store = create_store('g', dict(i2i=2), {})
        >>> store.upsert([Point({'id': 'a'}, dict(i2i=np.array([0.6, 0.8])))])
        >>> encode_query(Query(like=['a']), store, None).kind
        'i2i'
        >>> store.close()
    """
    if inferencer is None and (query.images or query.words):
        raise QueryError(
            'Images and words are encoded by a model: open the gallery with the one '
            'that it was indexed with (--model).'
        )
    shown: list[np.ndarray] = []
    parts: dict[str, np.ndarray] = {}
    if query.images:
        assert inferencer is not None
        shown += list(inferencer.embed_images(query.images, 'i2i'))
    shown += _features_of(query.like, store, 'like')
    words = tuple(query.words)
    if words:
        assert inferencer is not None
        parts['t2i'] = inferencer.embed_texts(words).mean(axis=0)
    weight = query.weight if shown and words else None
    if shown:
        parts['i2i'] = np.mean(shown, axis=0)
    if weight is not None:
        parts = {'i2i': (1 - weight) * parts['i2i'], 't2i': weight * parts['t2i']}
    if query.unlike:
        away = np.mean(_features_of(query.unlike, store, 'unlike'), axis=0)
        parts['i2i'] = parts.get('i2i', np.zeros_like(away)) - UNLIKE * away
    single = len(shown) + len(words) == 1 and not query.unlike
    kind = ('i2i' if shown else 't2i') if single else None
    return QueryVectors({k: v.astype(np.float32) for k, v in parts.items()}, kind)


def _features_of(ids: Sequence[str], store: Store, name: str) -> list[np.ndarray]:
    if not ids:
        return []
    found = {p.payload['id']: p.vectors['i2i'] for p in store.fetch(ids, vectors=True)}
    if missing := [id_ for id_ in ids if id_ not in found]:
        raise QueryError(
            f"{name}: the gallery '{store.url}' has no item {missing[0]!r}."
        )
    return [found[id_] for id_ in ids]
