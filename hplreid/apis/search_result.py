"""What a search finds: positions, similarities, and a drawing of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from hplreid.evaluation.k_smallest import smallest
from hplreid.visualization.search_sheet import draw_search

from .inputs import Images, ImageSource, InputError, iter_images

_BLOCK = 1 << 26  # similarities that are in memory at a time


@dataclass(frozen=True)
class SearchResult:
    """The nearest images of a gallery, for each query.

    Attributes:
        queries: The captions, or the images.
        indices: Positions in the gallery, nearest first, int64 ``(Q, k)``; equally near
            ones are in the order of the gallery.
        scores: Cosine similarities, from -1 to 1, float32 ``(Q, k)``.
        gallery: The gallery's images; None for a gallery of features.
    """

    queries: Sequence[str | ImageSource]
    indices: np.ndarray
    scores: np.ndarray
    gallery: Sequence[ImageSource] | None

    @property
    def paths(self) -> list[str] | None:
        """Names of the gallery's images; None for a gallery of features."""
        return None if self.gallery is None else [s.name for s in self.gallery]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each hit: ``query``, ``rank``, ``score``, ``index``.

        With the paths of a gallery there is ``path``, too.
        """
        paths = self.paths
        return [
            dict(query=_name(query), rank=rank, score=float(score), index=int(index))
            | ({} if paths is None else dict(path=paths[index]))
            for query, hits, scores in zip(
                self.queries, self.indices, self.scores, strict=True
            )
            for rank, (index, score) in enumerate(zip(hits, scores, strict=True), 1)
        ]

    def draw(self, gallery: Images | None = None) -> Image.Image:
        """Draw each query with its hits beside it, nearest first.

        Args:
            gallery: The gallery's images, where it was given as features.

        Returns:
            The drawing, RGB.

        Raises:
            InputError: The images of the gallery aren't known.
            MissingDataError: One of them doesn't exist.
        """
        sources = self.gallery if gallery is None else list(iter_images(gallery))
        if sources is None:
            raise InputError(
                'The gallery was given as features: give its images, '
                'result.draw(images).'
            )
        return draw_search(
            [q if isinstance(q, str) else _decode(q) for q in self.queries],
            [[_decode(sources[i]) for i in hits] for hits in self.indices],
            self.scores.tolist(),
        )


def _name(query: str | ImageSource) -> str:
    return query if isinstance(query, str) else query.name


def _decode(source: ImageSource) -> Image.Image:
    return Image.fromarray(source.decode().permute(1, 2, 0).contiguous().numpy())


def find_nearest(
    queries: np.ndarray, gallery: np.ndarray, topk: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest rows of a gallery, by cosine similarity.

    Args:
        queries: ``(Q, d)``, L2-normalized.
        gallery: ``(N, d)``, L2-normalized.
        topk: Rows to find; at most N are.

    Returns:
        Rows ``(Q, k)`` int64, nearest first, equal ones in their order; and
        similarities ``(Q, k)`` float32.

    Raises:
        InputError: The gallery is empty, features differ in length, or ``topk`` is
            below 1.

    Example:
        >>> one = np.eye(3, dtype=np.float32)
        >>> rows, scores = find_nearest(one[:1], one, topk=2)
        >>> rows.tolist(), scores.tolist()
        ([[0, 1]], [[1.0, 0.0]])
    """
    if topk < 1:
        raise InputError(f'topk={topk}: expected 1 at least.')
    if not len(gallery):
        raise InputError('The gallery is empty: expected one image at least.')
    if queries.shape[1] != gallery.shape[1]:
        raise InputError(
            f'Queries have features of length {queries.shape[1]}, the gallery of '
            f'{gallery.shape[1]}: encode both with one model, for one task.'
        )
    k, step = min(topk, len(gallery)), max(1, _BLOCK // len(gallery))
    columns = torch.from_numpy(gallery).T
    parts = [
        smallest(-(torch.from_numpy(queries[start : start + step]) @ columns), k)
        for start in range(0, len(queries), step)
    ]
    values, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows.astype(np.int64), (-values).astype(np.float32)
