"""Scores of groups of queries: by pair of cameras, by length of caption."""

from dataclasses import dataclass

import numpy as np

from ..files.feature_file import FeatureSet
from ..ranking.evaluate_ranking import evaluate_ranking
from ..statistics.bootstrap import bootstrap_mean
from .scored_features import protocol_arguments


@dataclass(frozen=True)
class GroupScore:
    """Mean average precision of a group of queries.

    Attributes:
        name: What the group has in common.
        mean: Percent; NaN where no query counts.
        low: Lower end of the 95 % interval; NaN for fewer than two identities.
        high: Upper end.
        count: Queries that count.
    """

    name: str
    mean: float
    low: float
    high: float
    count: int


def score_camera_pairs(
    features: FeatureSet,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Score the search from each camera in the images of each camera.

    The gallery is cut to one camera at a time: the score of a pair doesn't depend on
    how many images others have. Of one camera with itself there is a score only if the
    protocol keeps such images.

    Args:
        features: Features with known cameras.

    Returns:
        Cameras of queries, ``(A,)``; cameras of the gallery, ``(B,)``; mean average
        precision in percent, ``(A, B)``, NaN where no query has a match; and the
        number of queries that have one, ``(A, B)``.

    Raises:
        ValueError: Cameras are unknown.

    Example:
        >>> import numpy as np
        >>> pids = np.array([1, 2])
        >>> features = FeatureSet(
        ...     np.eye(2), np.eye(2), pids, pids, np.array([0, 0]), np.array([1, 1])
        ... )
        >>> _, _, scores, counts = score_camera_pairs(features)
        >>> scores.tolist(), counts.tolist()
        ([[100.0]], [[2]])
    """
    if features.query_camids is None or features.gallery_camids is None:
        raise ValueError('The features have no cameras to compare.')
    arguments = protocol_arguments(features)
    rows, columns = np.unique(features.query_camids), np.unique(features.gallery_camids)
    scores = np.full((len(rows), len(columns)), np.nan)
    counts = np.zeros((len(rows), len(columns)), int)
    for b, camera in enumerate(columns):
        chosen = np.flatnonzero(features.gallery_camids == camera)
        own = {
            key: value[chosen]
            for key, value in arguments.items()
            if key.startswith('gallery') and value is not None
        }
        try:
            ap = evaluate_ranking(**{**arguments, **own}).ap
        except ValueError:  # no query has a match under this camera
            continue
        for a, query_camera in enumerate(rows):
            found = ap[(features.query_camids == query_camera) & ~np.isnan(ap)]
            counts[a, b] = len(found)
            scores[a, b] = found.mean() if len(found) else np.nan
    return rows, columns, scores, counts


def score_caption_lengths(
    captions: list[str], ap: np.ndarray, pids: np.ndarray, num_groups: int = 4
) -> list[GroupScore]:
    """Score queries by the number of words of their captions.

    Args:
        captions: The caption of each query, ``Q`` of them.
        ap: Average precision of each query, percent, ``(Q,)``, NaN where skipped.
        pids: Identity of each, ``(Q,)``: what the intervals draw anew.
        num_groups: About how many groups, of about equally many queries.

    Returns:
        The groups, the shortest captions first.

    Example:
        >>> import numpy as np
        >>> groups = score_caption_lengths(
        ...     ['red coat', 'a woman in a red coat'] * 2, np.array([0.0, 90, 10, 100]),
        ...     np.arange(4), num_groups=2,
        ... )
        >>> [(group.name, group.mean, group.count) for group in groups]
        [('2 words', 5.0, 2), ('6 words', 95.0, 2)]
    """
    lengths = np.array([len(caption.split()) for caption in captions])
    shares = np.arange(1, num_groups + 1) / num_groups
    longest = np.unique(np.quantile(lengths, shares, method='inverted_cdf'))
    groups = []
    for end, before in zip(longest, [0, *longest[:-1]], strict=True):
        chosen = (lengths > before) & (lengths <= end)
        shortest = lengths[chosen].min()
        name = f'{end} words' if shortest == end else f'{shortest} to {end} words'
        groups.append(score_group(name, ap[chosen], pids[chosen]))
    return groups


def score_group(name: str, ap: np.ndarray, pids: np.ndarray) -> GroupScore:
    """Return the mean of a group of queries with its interval.

    Example:
        >>> import numpy as np
        >>> group = score_group('all', np.array([10.0, 30.0, np.nan]), np.arange(3))
        >>> group.mean, group.count
        (20.0, 2)
    """
    counted = ~np.isnan(ap)
    mean = float(ap[counted].mean()) if counted.any() else float('nan')
    if len(np.unique(pids[counted])) < 2:
        return GroupScore(name, mean, float('nan'), float('nan'), int(counted.sum()))
    found = bootstrap_mean(ap, pids, num_resamples=1999)
    return GroupScore(name, found.mean, found.low, found.high, int(counted.sum()))
