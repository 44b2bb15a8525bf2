"""The queries that a model answers worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.inspection import rank_features, worst_queries

from ..comparison import ComparedQuery, draw_stacked_lists, rank_queries

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_worst_queries(
    features: FeatureSet, num: int = 5, topk: int = 10, name: str = 'rank'
) -> Figure:
    """Draw the queries of the lowest average precision with what is found for them.

    Args:
        features: Features with names.
        num: Number of queries.
        topk: Length of the lists.
        name: Name of the model.

    Raises:
        UnnamedItemsError: The features have no names.
        FileNotFoundError: An image is missing.

    Example:
        >>> import numpy as np
        >>> pids, names = np.array([1, 2]), np.array(['a red coat', 'a blue coat'])
        >>> items = dict(query_names=names, gallery_names=names)
        >>> feats = np.eye(2)[[0, 0]]
        >>> features = FeatureSet(feats, np.eye(2), pids, pids, **items)
        >>> figure = draw_worst_queries(features, num=1, name='ours')
        >>> figure.axes[0].texts[2].get_text()
        'ours (AP 50.0)'
    """
    ranking = rank_features(features)
    rows = worst_queries(ranking, num)
    lists = rank_queries(features, rows, topk)
    queries = [
        ComparedQuery({name: ranked}, {name: float(ranking.ap[row])})
        for row, ranked in zip(rows, lists, strict=True)
    ]
    return draw_stacked_lists(queries, 'Lowest average precision')
