"""The metric of image and text retrieval, under the protocols that papers report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import (
    broadcast_object_list,
    collect_results,
    get_world_size,
    is_main_process,
)
from mmengine.evaluator import BaseMetric
from torch import Tensor

from hplreid.registry import METRICS
from hplreid.structures.ranked_list import RankedItem, RankedList

from ..distance import DISTANCES
from ..files.feature_file import FeatureSet
from ..files.per_query_file import PerQueryScores
from ..protocol import Protocol
from ..ranking.evaluate_ranking import evaluate_ranking
from ..ranking.nearest_gallery import rank_gallery
from ..ranking.precision import AP_DEFINITIONS
from ..ranking.ranking_result import RankingResult
from ..ranking.ties import TIES
from ..rerank import RerankSettings, evaluate_reranking
from ..score_table import list_scores, list_ties

# Task -> feature that the model wrote, split that queries, split that is searched, and
# what its protocol does with images of the query's identity and camera.
TASKS = {
    'i2i': ('i2i_feat', 'query', 'gallery', 'drop'),
    't2i': ('t2i_feat', 'query', 'gallery', 'keep'),
    'i2t': ('t2i_feat', 'gallery', 'query', 'keep'),
}
_META = ('sample_idx', 'pid', 'camid', 'split', 'img_path', 'caption')


@METRICS.register_module()
class RetrievalMetric(BaseMetric):
    """Rank-k accuracy, mAP and mINP, in percent.

    Every process collects the features of its share of the data; they are gathered,
    freed of the repeats that pad uneven shares, and sorted by ``sample_idx``, so that
    the scores are those of one process. Process 0 computes, all get the scores (or the
    error).

    ``'i2t'`` is the transpose of ``'t2i'`` on the same data: its images (split
    ``'gallery'``) query its captions (split ``'query'``).

    Args:
        task: ``'i2i'``, ``'t2i'`` or ``'i2t'``.
        same_camera: ``'drop'`` leaves out gallery items of the query's identity and
            camera, ``'keep'`` doesn't. Defaults to the task's protocol: ``'drop'`` for
            ``'i2i'``, else ``'keep'``.
        distance: ``'cosine'``, ``'euclidean'`` or ``'sqeuclidean'``.
        topk: Cut-offs k of the reported ``R<k>``.
        ap: ``'step'``, or ``'trapezoid'`` as in the first papers on Market-1501.
        ties: ``'order'``: equally close items rank in the order of the gallery;
            ``'expected'``: scores are the exact means over all orders. Not with
            ``rerank``.
        rerank: Options of :func:`evaluate_reranking` (``k1``, ``k2``,
            ``lambda_value``, ``variant``), ``{}`` for the original; None ranks plainly.
        collect_device: ``'cpu'`` or ``'gpu'``: how processes exchange features.
        collect_dir: Folder that all processes see, for ``collect_device='cpu'``.
        prefix: Put before the names of the scores, with a slash. Defaults to
            ``'reranked'`` with ``rerank``, so that re-ranked scores never bear the
            names of plain ones; else to no prefix.
    """

    default_prefix = ''

    def __init__(
        self,
        task: str,
        same_camera: str | None = None,
        distance: str = 'cosine',
        topk: Sequence[int] = (1, 5, 10),
        ap: str = 'step',
        ties: str = 'order',
        rerank: dict[str, Any] | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
        prefix: str | None = None,
    ) -> None:
        _check_choice('task', task, tuple(TASKS))
        _check_choice('same_camera', same_camera, (None, 'drop', 'keep'))
        _check_choice('distance', distance, DISTANCES)
        _check_choice('ap', ap, AP_DEFINITIONS)
        _check_choice('ties', ties, TIES)
        if ties == 'expected' and rerank is not None:
            raise ValueError(
                "ties='expected' is defined for plain ranking alone: re-ranking also "
                'chooses neighbors that tie in the order of the gallery. Leave out '
                "rerank, or set ties='order'."
            )
        if prefix is None and rerank is not None:
            prefix = 'reranked'
        super().__init__(collect_device, prefix, collect_dir)
        self.task = task
        self.feature, self.query_split, self.gallery_split, camera_rule = TASKS[task]
        self.same_camera = same_camera or camera_rule
        self.distance = distance
        self.topk = tuple(topk)
        self.ap = ap
        self.ties = ties
        self.rerank = rerank
        # Euclidean and squared Euclidean distance rank alike, and are re-ranked alike
        self._rerank_distance = 'cosine' if distance == 'cosine' else 'euclidean'
        self._rerank_settings = 'none'
        if rerank is not None:
            settings = RerankSettings.choose(**rerank, distance=self._rerank_distance)
            self._rerank_settings = str(settings)
        #: What moves the scores, for the line that reports them; counts after evaluate.
        self.settings: dict[str, str] = {}
        self._last: _Scored | None = None

    def check_dataset(self, dataset: Any) -> None:  # noqa: ANN401
        """Check, before anything is encoded, that a dataset can be scored.

        Args:
            dataset: Its ``get_data_info`` gives items with ``pid``, ``camid``,
                ``split`` and ``sample_idx``.

        Raises:
            ValueError: A split is empty, cameras are unknown or no query has a match
                .
        """
        meta = [dataset.get_data_info(index) for index in range(len(dataset))]
        no_features = torch.empty(len(meta), 0)
        query, gallery = _sides(
            [(meta, no_features)], self.query_split, self.gallery_split
        )
        drop = self.same_camera == 'drop'
        if drop:
            _check_cameras(query, gallery)
        protocol = Protocol(
            query.pids,
            gallery.pids,
            query.camids if drop else None,
            gallery.camids if drop else None,
        )
        _, _, left_out = protocol.same_identity(0, len(query.pids))
        if left_out.all():
            raise ValueError(protocol.explain_no_match())

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep the features of a batch.

        Raises:
            KeyError: The model wrote no such feature.
        """
        for sample in data_samples:
            if self.feature not in sample:
                raise KeyError(
                    f"Task '{self.task}' ranks by '{self.feature}', which the model "
                    f'did not write; the sample holds: {", ".join(sorted(sample))}.'
                )
            feature = sample[self.feature].detach().float().cpu()
            self.results.append(({k: sample.get(k) for k in _META}, feature))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the features of all processes and score them.

        Args:
            size: Number of samples in the dataset.

        Returns:
            The scores, on every process.

        Raises:
            ValueError: A sample is missing, a split is empty, cameras are unknown or no
                query has a match; on every process.
        """
        # One stacked tensor a process: thousands of small ones travel badly.
        share = None
        if self.results:
            meta, features = zip(*self.results, strict=True)
            share = (list(meta), torch.stack(features))
        self.results.clear()
        shares = collect_results(
            [share], get_world_size(), self.collect_device, **self._tmpdir()
        )
        outcome: list[Any] = [None]
        if is_main_process():
            try:
                # A process may have had nothing to do: its share is None.
                outcome = [self._score([s for s in shares or [] if s], size)]
            except ValueError as error:
                outcome = [error]
        # The others wait here: an error that only process 0 knew would hang them.
        broadcast_object_list(outcome)
        if isinstance(outcome[0], ValueError):
            raise outcome[0]
        return outcome[0]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Score gathered shares, each of ``(list of meta information, features)``."""
        query, gallery = _sides(results, self.query_split, self.gallery_split)
        drop = self.same_camera == 'drop'
        if drop:
            _check_cameras(query, gallery)
        sides = (
            query.features,
            gallery.features,
            query.pids,
            gallery.pids,
            query.camids if drop else None,
            gallery.camids if drop else None,
        )
        if self.rerank is None:
            ranking = evaluate_ranking(
                *sides,
                distance=self.distance,
                topk=self.topk,
                ap=self.ap,
                ties=self.ties,
            )
        else:
            ranking = evaluate_reranking(
                *sides,
                distance=self._rerank_distance,
                topk=self.topk,
                ap=self.ap,
                **self.rerank,
            )
        self._last = _Scored(query, gallery, ranking)
        self.settings = {
            'distance': self.distance,
            'normalized': 'yes' if self.distance == 'cosine' else 'no',
            'same camera': self.same_camera,
            're-ranking': self._rerank_settings,
            'AP': self.ap,
            'queries': str(ranking.num_valid_queries),
            'skipped': str(ranking.num_skipped_queries),
            'gallery': str(ranking.num_gallery),
            **list_ties(ranking),
        }
        return list_scores(ranking, self.topk, self.task)

    def ranked_lists(self, num_queries: int, topk: int = 10) -> list[RankedList]:
        """Return ranked lists of the last evaluation, for evenly spread queries.

        Only process 0 can: it holds the gathered features until it scores again.

        Raises:
            RuntimeError: Nothing was scored here yet.
        """
        query, gallery = self._scored().query, self._scored().gallery
        return rank_gallery(
            query.features,
            gallery.features,
            [RankedItem.from_sample(m) for m in query.meta],
            [RankedItem.from_sample(m) for m in gallery.meta],
            distance=self.distance,
            drop_same_camera=self.same_camera == 'drop',
            num_queries=num_queries,
            topk=topk,
        )

    def per_query(self) -> PerQueryScores:
        """Return the scores of each query of the last evaluation; only process 0 can.

        Raises:
            RuntimeError: Nothing was scored here yet.
        """
        last = self._scored()
        names = [Path(name).name if path else name for name, path in last.query.names()]
        return PerQueryScores(
            ap=last.ranking.ap,
            inp=last.ranking.inp,
            first_hit=last.ranking.first_hit,
            pids=np.asarray(last.query.pids),
            names=np.array(names),
            settings=self.settings,
            first_tie=last.ranking.first_tie if self.ties == 'expected' else None,
        )

    def features(self) -> FeatureSet:
        """Return the features that were scored last; only process 0 can.

        Raises:
            RuntimeError: Nothing was scored here yet.
        """
        query, gallery = self._scored().query, self._scored().gallery
        return FeatureSet(
            query_feats=query.features.numpy(),
            gallery_feats=gallery.features.numpy(),
            query_pids=np.asarray(query.pids),
            gallery_pids=np.asarray(gallery.pids),
            query_camids=query.known_cameras(),
            gallery_camids=gallery.known_cameras(),
            query_names=np.array([name for name, _ in query.names()]),
            gallery_names=np.array([name for name, _ in gallery.names()]),
            distance=self.distance,
            same_camera=self.same_camera,
        )

    def _scored(self) -> '_Scored':
        if self._last is None:
            raise RuntimeError('RetrievalMetric has scored nothing on this process.')
        return self._last

    def _score(self, shares: list, size: int) -> dict[str, float]:
        seen = {meta['sample_idx'] for metas, _ in shares for meta in metas}
        if len(seen) != size:
            raise ValueError(
                f'The dataset has {size} samples; {len(seen)} different ones (by '
                'sample_idx) were tested. Test the whole of it, with numbers that '
                'differ.'
            )
        scores = self.compute_metrics(shares)
        prefix = f'{self.prefix}/' if self.prefix else ''
        return {prefix + name: score for name, score in scores.items()}

    def _tmpdir(self) -> dict[str, str | None]:
        return {'tmpdir': self.collect_dir} if self.collect_device == 'cpu' else {}


class _Side:
    """Queries or gallery, sorted by ``sample_idx``."""

    def __init__(self, meta: list[dict], features: Tensor) -> None:
        self.meta = meta
        self.features = features
        self.pids = [m['pid'] for m in meta]
        self.camids = [m['camid'] for m in meta]

    def names(self) -> list[tuple[str, bool]]:
        """Return the path or, without an image, the caption; and whether it is one."""
        return [
            (str(m['img_path'] or m['caption'] or ''), bool(m['img_path']))
            for m in self.meta
        ]

    def known_cameras(self) -> np.ndarray:
        """Return the cameras, -1 where unknown, ``(N,)``."""
        return np.array([-1 if c is None else c for c in self.camids])


@dataclass(frozen=True)
class _Scored:
    """The features that were scored last, and the scores of each query."""

    query: _Side
    gallery: _Side
    ranking: RankingResult


def _sides(shares: list, *splits: str) -> list[_Side]:
    meta = [m for metas, _ in shares for m in metas]
    features = torch.cat([f for _, f in shares])
    # Of samples that several processes saw, any will do.
    rows = {m['sample_idx']: row for row, m in enumerate(meta)}
    sides = []
    for split in splits:
        chosen = [rows[i] for i in sorted(rows) if meta[rows[i]]['split'] == split]
        if not chosen:
            found = sorted({str(m['split']) for m in meta})
            raise ValueError(
                f"No sample of split '{split}' among {len(rows)}; found: {found}."
            )
        sides.append(_Side([meta[row] for row in chosen], features[chosen]))
    return sides


def _check_cameras(query: _Side, gallery: _Side) -> None:
    for name, side in (('query', query), ('gallery', gallery)):
        unknown = sum(c is None or c < 0 for c in side.camids)
        if unknown:
            raise ValueError(
                f'{unknown} of {len(side.camids)} {name} samples have no camera '
                "(camid -1), so images of the query's camera can't be left out. "
                "Set same_camera='keep' to count them."
            )


def _check_choice(name: str, value: str | None, choices: tuple) -> None:
    if value not in choices:
        raise ValueError(f'{name} must be one of {choices}; got {value!r}.')
