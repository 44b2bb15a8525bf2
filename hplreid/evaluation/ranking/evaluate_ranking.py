"""Retrieval scores from features or distances, in the memory of one block."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..distance import Features, as_features, device_of
from ..protocol import Protocol
from ..threads import Map, full_precision, num_workers, parallel_map
from .distance_sources import DistanceSource, FeatureSource, Source
from .match_ranks import count_closer, measure_matches
from .precision import AP_DEFINITIONS
from .query_groups import QueryGroup, make_groups
from .ranking_result import MatchRanks, RankingResult, summarize
from .ties import TIES


@torch.no_grad()
def evaluate_ranking(
    query_feats: Features,
    gallery_feats: Features,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    distance: str = 'cosine',
    topk: Sequence[int] = (1, 5, 10),
    ap: str = 'step',
    ties: str = 'order',
    block_size: int = 2048,
    gallery_block_size: int = 16128,
) -> RankingResult:
    """Score the ranking of a gallery for each query by their features.

    With cameras, gallery items of the query's identity and camera are left out (the
    protocol of Market-1501); without, nothing is. Gallery items of identity -1 are
    dropped. Queries without a match are skipped and counted, and so are
    queries of which a match is exactly as close as a mismatch (``tied_queries``).

    Half precision is computed in float32; float32 and float64 in themselves. Sizes of
    blocks change neither values nor scores.

    Args:
        query_feats: ``(Q, D)``, array or tensor on any device.
        gallery_feats: ``(G, D)``. A memory-mapped array (``numpy.load(path,
            mmap_mode='r')``) is read block by block and may be larger than the memory.
        query_pids: Identities, ``(Q,)`` integers.
        gallery_pids: Identities, ``(G,)`` integers, -1 is junk.
        query_camids: Cameras, ``(Q,)`` integers.
        gallery_camids: Cameras, ``(G,)`` integers.
        distance: ``'cosine'`` (normalizes), ``'euclidean'`` or ``'sqeuclidean'`` (both
            take features as they are and rank alike).
        topk: Cut-offs of the CMC, clipped to the gallery.
        ap: ``'step'``, or ``'trapezoid'`` for numbers of old papers
            (:func:`.precision.precision_at` defines both).
        ties: ``'order'``: equally close items rank in the order of the gallery, by
            which a collapsed model's R1 may be anything; ``'expected'``: scores are
            the exact means over all orders (:mod:`.ties`), and the same where no match
            ties with a mismatch.
        block_size: Queries at a time, at most.
        gallery_block_size: Gallery items read and normalized at a time. Beyond its
            arguments and a copy of the queries (two of half precision) it takes two
            such blocks of features and, for each thread, a few tiles of
            ``block_size * 2016`` distances (``block_size * 8192`` on a GPU).

    Returns:
        Scores in percent.

    Raises:
        ValueError: An input is malformed, or no query has a match; the message
            says which, and why.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_ranking
        >>> gallery = np.array([[1.0, 0.1], [0.0, 1.0], [1.0, 0.3]])
        >>> result = evaluate_ranking(np.array([[1.0, 0.0]]), gallery, [7], [3, 7, 7])
        >>> result.r1, result.r5, round(result.mean_ap, 2)  # matches at ranks 2 and 3
        (0.0, 100.0, 58.33)
    """
    query_feats = as_features('query_feats', query_feats)
    gallery_feats = as_features('gallery_feats', gallery_feats)
    protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
    check_shape(
        (len(query_feats), len(gallery_feats)), protocol, 'query and gallery features'
    )
    check_options(topk, ap, ties, block_size, gallery_block_size)

    def make_source(run: Map) -> FeatureSource:
        return FeatureSource(
            query_feats,
            gallery_feats,
            protocol.kept,
            distance,
            gallery_block_size,
            run=run,
        )

    return _evaluate(
        make_source,
        device_of(query_feats),
        protocol,
        topk,
        ap,
        ties,
        block_size,
        gallery_block_size,
    )


@torch.no_grad()
def evaluate_distances(
    distmat: np.ndarray | Tensor,
    query_pids: ArrayLike | Tensor,
    gallery_pids: ArrayLike | Tensor,
    query_camids: ArrayLike | Tensor | None = None,
    gallery_camids: ArrayLike | Tensor | None = None,
    *,
    topk: Sequence[int] = (1, 5, 10),
    ap: str = 'step',
    ties: str = 'order',
    block_size: int = 2048,
) -> RankingResult:
    """Score the ranking of a gallery for each query by given distances.

    Args:
        distmat: ``(Q, G)``, lower is closer, finite. It is not changed, and may be a
            memory-mapped array.
        query_pids: As in :func:`evaluate_ranking`, like all that follows.
        gallery_pids: ``(G,)`` integers, -1 is junk.
        query_camids: ``(Q,)`` integers.
        gallery_camids: ``(G,)`` integers.
        topk: Cut-offs of the CMC, clipped to the gallery.
        ap: ``'step'`` or ``'trapezoid'``.
        ties: ``'order'`` or ``'expected'``.
        block_size: Queries at a time, at most.

    Returns:
        Scores in percent.

    Raises:
        ValueError: An input is malformed, or no query has a match.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_distances
        >>> result = evaluate_distances(np.array([[0.2, 0.1, 0.3]]), [7], [7, 3, 7])
        >>> round(result.mean_ap, 2)  # (1/2 + 2/3) / 2
        58.33
    """
    protocol = Protocol(query_pids, gallery_pids, query_camids, gallery_camids)
    distmat = as_features('distmat', distmat)
    check_shape(tuple(distmat.shape), protocol, 'distances')
    check_options(topk, ap, ties, block_size)
    source = DistanceSource(distmat, protocol.kept)
    return _evaluate(
        lambda run: source,
        source.device,
        protocol,
        topk,
        ap,
        ties,
        block_size,
        len(protocol.kept),
    )


def check_shape(shape: tuple[int, ...], protocol: Protocol, what: str) -> None:
    """Check that features or distances are given for each query and gallery item.

    Raises:
        ValueError: There isn't.
    """
    expected = (len(protocol.query_pids), protocol.num_given)
    if shape != expected:
        raise ValueError(
            f'{what} are {shape}, but {expected[0]} query and {expected[1]} gallery '
            'identities are given.'
        )


def check_options(
    topk: Sequence[int],
    ap: str,
    ties: str,
    block_size: int,
    gallery_block_size: int = 1,
) -> None:
    """Check the options of an evaluation.

    Raises:
        ValueError: An option is none of those that there are.
    """
    if not topk or any(int(k) != k or k < 1 for k in topk):
        raise ValueError(f'topk must be integers from 1; got {topk}.')
    if ap not in AP_DEFINITIONS:
        raise ValueError(f"Unknown ap '{ap}': expected one of {AP_DEFINITIONS}.")
    if ties not in TIES:
        raise ValueError(f"Unknown ties '{ties}': expected one of {TIES}.")
    if block_size < 1:
        raise ValueError(f'block_size must be at least 1; got {block_size}.')
    if gallery_block_size < 1:
        raise ValueError(
            f'gallery_block_size must be at least 1; got {gallery_block_size}.'
        )


def _evaluate(
    make_source: Callable[[Map], Source],
    device: torch.device,
    protocol: Protocol,
    topk: Sequence[int],
    ap: str,
    ties: str,
    block_size: int,
    gallery_block_size: int,
) -> RankingResult:
    owned = 0, len(protocol.kept)
    workers = num_workers(device, len(protocol.query_pids) * owned[1])
    with full_precision(device), parallel_map(workers) as run:
        source = make_source(run)
        groups = make_groups(protocol, block_size, workers, run)
        factors = measure_all(source, groups, owned, run)
        list(run(lambda group: group.set_values(group.values), groups))
        count_all(source, groups, factors, owned, gallery_block_size, run)
    return summarize_groups(groups, protocol, topk, ap, ties)


def measure_all(
    source: Source, groups: list[QueryGroup], owned: tuple[int, int], run: Map = map
) -> list:
    """Write the values of those matches that the source has into the groups.

    Returns:
        What the source needs of the queries of each group.
    """

    def measure_group(group: QueryGroup) -> object:
        queries = source.queries(group.queries)
        group.values = measure_matches(source, group, queries, owned)
        return queries

    return list(run(measure_group, groups))


def count_all(
    source: Source,
    groups: list[QueryGroup],
    factors: list,
    owned: tuple[int, int],
    gallery_block_size: int,
    run: Map = map,
) -> None:
    """Write how many mismatches of the source are closer, or tie, into the groups."""
    for start in range(*owned, gallery_block_size):
        stop = min(start + gallery_block_size, owned[1])
        spans = [
            np.arange(first, min(first + source.tile_width, stop))
            for first in range(start, stop, source.tile_width)
        ]
        tiles = list(zip(run(source.gallery, spans), spans, strict=True))
        tasks = [
            (group, queries, gallery, span[0], len(span))
            for group, queries in zip(groups, factors, strict=True)
            for gallery, span in tiles
        ]
        counts = run(lambda task: count_closer(source, *task), tasks)
        for (group, *_), (closer, tied) in zip(tasks, counts, strict=True):
            group.closer += closer
            if tied is not None:
                group.tied += tied


def summarize_groups(
    groups: list[QueryGroup],
    protocol: Protocol,
    topk: Sequence[int],
    ap: str,
    ties: str,
) -> RankingResult:
    """Compute the scores from complete counts."""
    columns = zip(*(group.ranks() for group in groups), strict=True)
    return summarize(
        MatchRanks(*map(np.concatenate, columns)),
        len(protocol.query_pids),
        len(protocol.kept),
        [int(k) for k in topk],
        ap,
        ties,
    )
