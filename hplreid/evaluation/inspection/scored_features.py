"""Scores of features by the protocol that their file states."""

from pathlib import Path
from typing import Any

import numpy as np

from ..files.feature_file import FeatureSet
from ..files.feature_items import is_image_name
from ..files.per_query_file import PerQueryScores
from ..ranking.evaluate_ranking import evaluate_ranking
from ..ranking.ranking_result import RankingResult


def drops_same_camera(features: FeatureSet) -> bool:
    """Return whether the protocol leaves out a query's own camera.

    Where the file doesn't say, it does if all cameras are known.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1])
        >>> drops_same_camera(FeatureSet(np.eye(1), np.eye(1), pids, pids))
        False
    """
    default = 'drop' if features.has_cameras() else 'keep'
    return (features.same_camera or default) == 'drop'


def zero_is_a_crowd(features: FeatureSet) -> bool:
    """Return whether identity 0 of the gallery marks distractors, of many people.

    So it is in Market-1501, where no query has it.

    Example:
        >>> import numpy as np
        >>> feats, pids = np.eye(2), np.array([0, 7])
        >>> zero_is_a_crowd(FeatureSet(feats[1:], feats, pids[1:], pids))
        True
    """
    return 0 not in features.query_pids


def protocol_arguments(features: FeatureSet) -> dict[str, Any]:
    """Return what functions of the evaluation are called with.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1])
        >>> arguments = protocol_arguments(FeatureSet(np.eye(1), np.eye(1), pids, pids))
        >>> arguments['distance'], arguments['query_camids']
        ('cosine', None)
    """
    drop = drops_same_camera(features)
    return dict(
        query_feats=features.query_feats,
        gallery_feats=features.gallery_feats,
        query_pids=features.query_pids,
        gallery_pids=features.gallery_pids,
        query_camids=features.query_camids if drop else None,
        gallery_camids=features.gallery_camids if drop else None,
        distance=features.distance or 'cosine',
    )


def rank_features(features: FeatureSet) -> RankingResult:
    """Score features by the distance and the camera rule of their file.

    Raises:
        ValueError: See :func:`.evaluate_ranking`.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> rank_features(FeatureSet(np.eye(2), np.eye(2), pids, pids)).mean_ap
        100.0
    """
    return evaluate_ranking(**protocol_arguments(features))


def score_queries(features: FeatureSet) -> PerQueryScores:
    """Score features query by query.

    Args:
        features: Queries without names are told apart by their place.

    Raises:
        ValueError: See :func:`.evaluate_ranking`.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> features = FeatureSet(np.eye(2), np.eye(2), pids, pids)
        >>> score_queries(features).names.tolist()
        ['query 0', 'query 1']
    """
    ranking = rank_features(features)
    names = features.query_names
    if names is None:
        names = np.array([f'query {i}' for i in range(len(features.query_pids))])
    else:
        names = np.array([Path(n).name if is_image_name(n) else n for n in names])
    return PerQueryScores(
        ranking.ap,
        ranking.inp,
        ranking.first_hit,
        features.query_pids,
        names,
        {'gallery': str(ranking.num_gallery)},
    )


def worst_queries(ranking: RankingResult, num: int) -> np.ndarray:
    """Return the queries with the lowest average precision, the lowest first.

    Args:
        ranking: The ranking.
        num: How many; all, if fewer have a match.

    Returns:
        Rows of queries, ``(num,)``. Of equal ones, the one whose first match comes
        later is first, then the order of the queries.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> wrong = FeatureSet(np.eye(2), np.eye(2)[[0, 0]], pids, pids)
        >>> worst_queries(rank_features(wrong), 1).tolist()
        [1]
    """
    order = np.lexsort((-ranking.first_hit, ranking.ap))  # NaN last
    return order[: min(num, ranking.num_valid_queries)]
