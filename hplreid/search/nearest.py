"""The items with the highest scores, exactly, whatever spaces the query is in."""

from collections.abc import Collection, Mapping

import numpy as np

from .filters import Filters
from .stores import Point, Store

_SLACK = 1e-5  # more than what the database's products differ from those here
_SPARE = 8


def find_nearest_items(
    store: Store,
    vectors: Mapping[str, np.ndarray],
    topk: int,
    filters: Filters | None = None,
    exclude: Collection[str] = (),
    *,
    exact: bool = True,
) -> list[tuple[float, Point]]:
    """Find the points with the highest scores, equal ones in the order of their ids.

    A score is the sum, over the query's spaces, of the product of its vector and the
    point's. Each space gives its best points; all others score at most the sum of the
    worst products that it gave (Fagin's threshold algorithm, https://doi.org/10.1145/
    375551.375567). Lists grow until that bound is under the last score that is asked
    for, so that nothing is missed and no tie is cut.

    Args:
        store: The points.
        vectors: The query's vector in each of its spaces.
        topk: Points to find; fewer if there are fewer.
        filters: Which points are looked at.
        exclude: Ids that are left out.
        exact: Whether to look at all points; else each space is asked once, through its
            index.

    Returns:
        Scores and points, best first.

    Example:
        >>> from hplreid.search.stores import create_store
        >>> one = np.eye(3, dtype=np.float32)
        >>> store = create_store('g', dict(i2i=3, t2i=3), {})
        >>> points = [
        ...     Point({'id': n}, dict(i2i=a, t2i=b))
        ...     for n, a, b in zip('abc', one, one[::-1])
        ... ]
        >>> store.upsert(points)
        >>> query = dict(i2i=0.4 * one[0], t2i=0.6 * one[0])
        >>> found = find_nearest_items(store, query, topk=2)
        >>> [(round(score, 6), point.payload['id']) for score, point in found]
        [(0.6, 'c'), (0.4, 'a')]
        >>> store.close()
    """
    total = store.count(filters)
    limit = min(total, topk + len(exclude) + _SPARE)
    while limit:
        seen: dict[str, Point] = {}
        bound = 0.0
        for space, vector in vectors.items():
            listed = store.nearest(
                space, vector, limit, filters, exact=exact, vectors=True
            )
            seen.update((one.point.payload['id'], one.point) for one in listed)
            bound += listed[-1].score if listed else 0.0
        ranked = sorted(
            (-_score(point, vectors), id_)
            for id_, point in seen.items()
            if id_ not in exclude
        )
        enough = len(ranked) >= topk and -ranked[topk - 1][0] > bound + _SLACK
        if enough or limit >= total or not exact:
            return [(-negative, seen[id_]) for negative, id_ in ranked[:topk]]
        limit = min(total, 4 * limit)
    return []


def _score(point: Point, vectors: Mapping[str, np.ndarray]) -> float:
    products = [
        point.vectors[space].astype(np.float64) @ vector.astype(np.float64)
        for space, vector in vectors.items()
    ]
    return float(sum(products))
