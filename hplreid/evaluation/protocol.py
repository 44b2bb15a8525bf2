"""The evaluation protocol: matches of a query, and gallery items that don't count."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

JUNK_PID = -1
_SHOWN = 10  # how many identities or cameras an error message lists


class Protocol:
    """The identities and cameras of an evaluation.

    A gallery item of the query's identity is a match, unless it is of the
    query's camera too: then it is left out (only if cameras are given). Gallery items
    of identity -1 are junk and left out for every query.

    Args:
        query_pids: ``(Q,)`` integers.
        gallery_pids: ``(G,)`` integers.
        query_camids: ``(Q,)`` integers, or None.
        gallery_camids: ``(G,)`` integers, or None.

    Raises:
        ValueError: Shapes or types are wrong, one side's cameras are missing, or the
            gallery holds nothing but junk.
    """

    def __init__(
        self,
        query_pids: ArrayLike | Tensor,
        gallery_pids: ArrayLike | Tensor,
        query_camids: ArrayLike | Tensor | None = None,
        gallery_camids: ArrayLike | Tensor | None = None,
    ) -> None:
        if (query_camids is None) != (gallery_camids is None):
            raise ValueError(
                'Give the cameras of both queries and gallery, or of neither.'
            )
        self.query_pids = as_integers('query_pids', query_pids)
        pids = as_integers('gallery_pids', gallery_pids)
        self.num_given = len(pids)
        self.kept = np.flatnonzero(pids != JUNK_PID)
        if not len(self.query_pids) or not len(self.kept):
            raise ValueError(
                f'Nothing to rank: {len(self.query_pids)} queries and {len(self.kept)} '
                f'gallery items ({len(pids)} with those of identity {JUNK_PID}).'
            )
        self.gallery_pids = pids[self.kept]
        self.query_camids = self.gallery_camids = None
        if query_camids is not None and gallery_camids is not None:
            self.query_camids = as_integers(
                'query_camids', query_camids, len(self.query_pids)
            )
            camids = as_integers('gallery_camids', gallery_camids, len(pids))
            self.gallery_camids = camids[self.kept]
        # A stable order keeps the items of an identity in the order of the gallery.
        self._by_pid = np.argsort(self.gallery_pids, kind='stable')
        self._sorted_pids = self.gallery_pids[self._by_pid]

    def count_pairs(self) -> np.ndarray:
        """Count the gallery items of each query's identity, ``(Q,)``."""
        first, stop = self._ends(self.query_pids)
        return stop - first

    def same_identity(
        self, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pair queries ``start`` to ``stop``: :meth:`pairs_of` with a range."""
        return self.pairs_of(np.arange(start, min(stop, len(self.query_pids))))

    def pairs_of(
        self, queries: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pair queries with the gallery items of their identity.

        Args:
            queries: Which, ``(B,)``.

        Returns:
            Rows, that is places in ``queries`` (ascending), columns of the kept
            gallery (ascending in a row), and whether the pair is of one camera and so
            left out; each ``(P,)``.
        """
        first, stop = self._ends(self.query_pids[queries])
        counts = stop - first
        rows = np.repeat(np.arange(len(queries)), counts)
        columns = self._by_pid[np.repeat(first, counts) + positions_in_row(rows)]
        if self.query_camids is None or self.gallery_camids is None:
            return rows, columns, np.zeros(len(rows), dtype=bool)
        ignored = self.query_camids[queries[rows]] == self.gallery_camids[columns]
        return rows, columns, ignored

    def _ends(self, pids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where identities begin and end among the sorted ones."""
        first = np.searchsorted(self._sorted_pids, pids, side='left')
        return first, np.searchsorted(self._sorted_pids, pids, side='right')

    def explain_no_match(self) -> str:
        """Return a message that explains why no query has a match."""
        message = f'None of the {len(self.query_pids)} queries has a match.'
        pids = np.unique(self.query_pids)
        absent = pids[~np.isin(pids, self.gallery_pids)]
        if len(absent):
            message += (
                f' {len(absent)} of {len(pids)} query identities are not in the '
                f'gallery: {_some(absent)}.'
            )
        present = pids[np.isin(pids, self.gallery_pids)]
        if len(present) and self.query_camids is not None:
            cameras = self.query_camids[np.isin(self.query_pids, present)]
            message += (
                f' {len(present)} are in it only under the camera of the query, which '
                f'the camera rule leaves out: identities {_some(present)}, cameras '
                f'{_some(np.unique(cameras))}. To count images of the same camera, '
                "give no cameras (RetrievalMetric: same_camera='keep')."
            )
        return message


def positions_in_row(rows: np.ndarray) -> np.ndarray:
    """Count within each run of equal values: ``[0, 0, 2, 2, 2] -> [0, 1, 0, 1, 2]``."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    return np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))


def as_integers(
    name: str, values: ArrayLike | Tensor, length: int | None = None
) -> np.ndarray:
    """Return identities or cameras as int64, ``(N,)``.

    Raises:
        ValueError: They aren't integers, or not as many as expected.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f'{name} must be integers of shape (N,); '
            f'got {array.dtype} of shape {array.shape}.'
        )
    if length is not None and len(array) != length:
        raise ValueError(f'{name} holds {len(array)} values; expected {length}.')
    return array.astype(np.int64)


def _some(values: np.ndarray) -> str:
    shown = ', '.join(str(v) for v in values[:_SHOWN])
    return shown + (', ...' if len(values) > _SHOWN else '')


def as_index(array: np.ndarray, like: Tensor) -> Tensor:
    """Move an array of indices to the device of a tensor."""
    return torch.from_numpy(array).to(like.device)
