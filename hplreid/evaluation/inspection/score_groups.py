"""Scores of groups of queries: by pair of cameras, length of caption, attribute."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hplreid.utils.user_error import UserError

from ..files.feature_file import FeatureSet
from ..ranking.evaluate_ranking import evaluate_ranking
from ..ranking.ranking_result import RankingResult
from ..statistics.bootstrap import bootstrap_mean
from .scored_features import protocol_arguments

_MOST_GROUPS = 20
_NUM_GROUPS = 4  # of numbers


class GroupError(UserError, ValueError):
    """Queries can't be grouped by an attribute."""


@dataclass(frozen=True)
class GroupScore:
    """Mean score of a group of queries: mAP, or R1.

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
    groups = _split_numbers(lengths, num_groups)
    return [
        score_group(f'{name} words', ap[chosen], pids[chosen])
        for name, chosen in groups.items()
    ]


@dataclass(frozen=True)
class AttributeScores:
    """Scores by the values of an attribute of the queries.

    Attributes:
        name: The attribute.
        mean_ap: Mean average precision of each group.
        rank_1: R1 of each group, in the same order.
    """

    name: str
    mean_ap: Sequence[GroupScore]
    rank_1: Sequence[GroupScore]


def score_attribute(
    name: str, values: Sequence[str], ranking: RankingResult, pids: np.ndarray
) -> AttributeScores:
    """Score queries by an attribute: occlusion, view, what somebody has noted.

    Args:
        name: The attribute.
        values: Its value of each query, ``Q`` of them. More than six different numbers
            become four groups of about equally many queries; any other value is a
            group, in the order of the numbers that the values begin with, or of the
            alphabet.
        ranking: The ranking of the queries.
        pids: Identity of each, ``(Q,)``: what the 95 % intervals draw anew.

    Raises:
        GroupError: There are more than 20 groups.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_ranking
        >>> pids = np.arange(4)
        >>> ranking = evaluate_ranking(np.eye(4), np.eye(4)[[0, 1, 3, 2]], pids, pids)
        >>> found = score_attribute('hidden', ['0', '0', '10', '10'], ranking, pids)
        >>> [(group.name, group.mean, group.count) for group in found.rank_1]
        [('0', 100.0, 2), ('10', 0.0, 2)]
    """
    groups = _split_values(name, values)
    hit = np.where(np.isnan(ranking.ap), np.nan, 100.0 * (ranking.first_hit == 1))
    return AttributeScores(
        name,
        *(
            [score_group(n, each[at], pids[at]) for n, at in groups.items()]
            for each in (ranking.ap, hit)
        ),
    )


def _split_values(name: str, values: Sequence[str]) -> dict[str, np.ndarray]:
    """Return which queries each group has, ``(Q,)`` bool, by its name, in order."""
    texts = np.array(values, dtype=str)
    different = sorted(set(texts.tolist()), key=_natural)
    known = [text for text in different if _is_number(text)]
    if len(known) > 6 and len(known) >= len(different) - 1:  # and 'unknown', perhaps
        given = np.isin(texts, known)
        numbers = np.full(len(texts), np.nan)
        numbers[given] = texts[given].astype(float)
        groups = _split_numbers(numbers, _NUM_GROUPS)
        different = [text for text in different if text not in known]
    else:
        groups = {}
    if len(different) > _MOST_GROUPS:
        raise GroupError(
            f"'{name}' has {len(different)} different values, {different[0]!r} and "
            f'{different[1]!r} among them: expected at most {_MOST_GROUPS} groups, or '
            'numbers. Take the column out of the table, or join values.'
        )
    return groups | {text: texts == text for text in different}


def _split_numbers(numbers: np.ndarray, num: int) -> dict[str, np.ndarray]:
    """Return groups of about equally many numbers, named by their ends."""
    shares = np.arange(1, num + 1) / num
    given = numbers[~np.isnan(numbers)]
    highest = np.unique(np.quantile(given, shares, method='inverted_cdf'))
    groups = {}
    for end, before in zip(highest, [-np.inf, *highest[:-1]], strict=True):
        chosen = (numbers > before) & (numbers <= end)
        lowest = numbers[chosen].min()
        groups[f'{end:g}' if lowest == end else f'{lowest:g} to {end:g}'] = chosen
    return groups


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _natural(text: str) -> tuple[float, str]:
    found = re.match(r'-?\d+(\.\d+)?', text)
    return float(found[0]) if found else np.inf, text


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
