"""Ranked lists of several models for the same queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hplreid.evaluation import FeatureSet, rank_gallery
from hplreid.evaluation.files import check_same_items, name_items
from hplreid.evaluation.inspection import drops_same_camera, rank_features
from hplreid.structures.ranked_list import RankedList

from .choose_queries import choose_queries


@dataclass(frozen=True)
class ComparedQuery:
    """A query and what each model finds for it.

    Attributes:
        lists: The list of each model, by its name; all are of one query.
        scores: Average precision of each, percent.
    """

    lists: Mapping[str, RankedList]
    scores: Mapping[str, float]


def compare_lists(
    features: Mapping[str, FeatureSet],
    choice: str = 'gain',
    num: int = 5,
    topk: int = 10,
    seed: int = 0,
) -> list[ComparedQuery]:
    """Rank the gallery by each model, for queries in which they differ.

    Args:
        features: The features of each model on one benchmark, by its name. The gain or
            loss is that of the last over the first, in average precision.
        choice: See :func:`choose_queries`, as for ``num`` and ``seed``.
        num: Number of queries.
        topk: Length of the lists.
        seed: Of a random choice.

    Raises:
        OtherItemsError: The features are of other items.
        UnnamedItemsError: They have no names.
        FigureError: No query gains or loses.

    Example:
        >>> import numpy as np
        >>> pids, names = np.array([1, 2]), np.array(['a red coat', 'a blue coat'])
        >>> items = dict(query_names=names, gallery_names=names)
        >>> good, bad = np.eye(2), np.eye(2)[[1, 0]]
        >>> (query,) = compare_lists({
        ...     'base': FeatureSet(good, bad, pids, pids, **items),
        ...     'ours': FeatureSet(good, good, pids, pids, **items),
        ... }, num=1)
        >>> query.scores
        {'base': 50.0, 'ours': 100.0}
    """
    check_same_items(features)
    scores = {name: rank_features(feats).ap for name, feats in features.items()}
    names = list(features)
    rows = choose_queries(scores[names[0]], scores[names[-1]], choice, num, seed)
    lists = {name: rank_queries(feats, rows, topk) for name, feats in features.items()}
    return [
        ComparedQuery(
            {name: lists[name][place] for name in features},
            {name: float(scores[name][row]) for name in features},
        )
        for place, row in enumerate(rows)
    ]


def rank_queries(
    features: FeatureSet, rows: Sequence[int] | np.ndarray, topk: int
) -> list[RankedList]:
    """Rank the gallery for some queries, by the protocol of the file.

    Args:
        features: Features with names.
        rows: The queries, ``(B,)``.
        topk: Length of the lists.

    Raises:
        UnnamedItemsError: There are no names.

    Example:
        >>> import numpy as np
        >>> pids, names = np.array([1, 2]), np.array(['a red coat', 'a blue coat'])
        >>> items = dict(query_names=names, gallery_names=names)
        >>> features = FeatureSet(np.eye(2), np.eye(2), pids, pids, **items)
        >>> (ranked,) = rank_queries(features, [1], topk=1)
        >>> ranked.query.caption, ranked.marks
        ('a blue coat', ('match',))
    """
    query, gallery = name_items(features)
    return rank_gallery(
        torch.as_tensor(features.query_feats[rows]),
        torch.as_tensor(features.gallery_feats),
        [query[row] for row in rows],
        gallery,
        distance=features.distance or 'cosine',
        drop_same_camera=drops_same_camera(features),
        num_queries=len(rows),
        topk=topk,
    )
