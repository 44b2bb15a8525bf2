"""A file of per-query scores, for paired tests of two runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..ranking.ties import hit_chances
from .array_file import (
    ArrayFileError,
    need_keys,
    read_arrays,
    read_object,
    write_arrays,
)
from .score_file import PROVENANCE

_COLUMNS = ('ap', 'inp', 'first_hit', 'pids', 'names')
_SHOWN = 5  # how many queries an error message lists


@dataclass(frozen=True)
class PerQueryScores:
    """Scores of each query of an evaluation.

    Attributes:
        ap: Average precision, percent, ``(Q,)``, NaN where skipped.
        inp: Inverse negative penalty, percent, ``(Q,)``, NaN where skipped.
        first_hit: Rank of the first match, from 1, ``(Q,)``; 0 where skipped.
        pids: Identities, ``(Q,)``.
        names: File name or caption of each query, ``(Q,)``: no folders, so that runs
            on different machines can be compared.
        settings: What moves the scores, by name; ``'gallery'`` among it.
        first_tie: Where scores are means over the orders of ties: what the first match
            ties with, ``(Q, 4)`` as in :class:`.RankingResult`; else None.
        provenance: Where the scores come from, in values that JSON can hold; empty if
            not known.
    """

    ap: np.ndarray
    inp: np.ndarray
    first_hit: np.ndarray
    pids: np.ndarray
    names: np.ndarray
    settings: Mapping[str, str]
    first_tie: np.ndarray | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def save(self, path: str | Path) -> None:
        """Write an ``.npz``."""
        arrays = {name: getattr(self, name) for name in _COLUMNS}
        if self.first_tie is not None:
            arrays['first_tie'] = self.first_tie
        for name in ('settings', PROVENANCE):
            arrays[name] = np.array(json.dumps(getattr(self, name)))
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | Path) -> 'PerQueryScores':
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ArrayFileError: It is of another kind.
        """
        arrays = read_arrays(path)
        need_keys(path, arrays, (*_COLUMNS, 'settings'))
        columns = {name: arrays[name] for name in _COLUMNS}
        if {c.shape for c in columns.values()} != {(len(arrays['ap'].flat),)}:
            shapes = ', '.join(f'{n} {c.shape}' for n, c in columns.items())
            raise ArrayFileError(f"'{path}': columns differ in length: {shapes}.")
        settings = read_object(path, arrays, 'settings')
        if 'normalised' in settings:  # as 0.1.0 wrote it
            settings['normalized'] = settings.pop('normalised')
        first_tie = arrays.get('first_tie')
        if first_tie is not None and first_tie.shape != (len(columns['ap']), 4):
            raise ArrayFileError(
                f"'{path}': first_tie is of shape {first_tie.shape}; expected "
                f'({len(columns["ap"])}, 4).'
            )
        provenance = read_object(path, arrays, PROVENANCE)
        return cls(
            **columns, settings=settings, first_tie=first_tie, provenance=provenance
        )

    def scores(self, topk: Sequence[int] = (1, 5, 10)) -> dict[str, np.ndarray]:
        """Return the scores of each query: metric -> ``(Q,)``, NaN where skipped."""
        skipped = self.first_hit == 0
        ranks = {
            f'R{k}': np.where(skipped, np.nan, 100.0 * self._hits_among(k))
            for k in topk
        }
        return {'mAP': self.ap, **ranks, 'mINP': self.inp}

    def _hits_among(self, k: int) -> np.ndarray:
        """Return whether, or how likely, a match is among the first k, ``(Q,)``."""
        hits = (self.first_hit <= k).astype(np.float64)
        if self.first_tie is not None:
            tied = self.first_tie[:, 3] > 0
            hits[tied] = hit_chances(self.first_tie[tied], k)[:, -1]
        return hits


def find_differences(a: PerQueryScores, b: PerQueryScores) -> list[str]:
    """Return the differences that rule out a comparison query by query.

    Returns:
        A message for each reason; empty if queries, their identities, which of them
        have a match, and the size of the gallery are the same.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import PerQueryScores, find_differences
        >>> one = np.array([50.0])
        >>> columns = dict(ap=one, inp=one, first_hit=np.array([2]), pids=np.array([7]))
        >>> a = PerQueryScores(**columns, names=np.array(['a.jpg']), settings={})
        >>> b = PerQueryScores(**columns, names=np.array(['b.jpg']), settings={})
        >>> len(find_differences(a, a)), len(find_differences(a, b))
        (0, 1)
    """
    if len(a.ap) != len(b.ap):
        return [f'{len(a.ap)} queries in the first, {len(b.ap)} in the second']
    found = []
    for what, left, right in (
        ('names of queries', a.names, b.names),
        ('identities of queries', a.pids, b.pids),
        ('whether a query is skipped', a.first_hit == 0, b.first_hit == 0),
    ):
        rows = np.flatnonzero(left != right)
        if len(rows):
            some = '; '.join(
                f"query {row}: '{left[row]}' and '{right[row]}'"
                for row in rows[:_SHOWN]
            )
            more = '; ...' if len(rows) > _SHOWN else ''
            found.append(f'{what}: {len(rows)} of {len(left)} differ ({some}{more})')
    sizes = [scores.settings.get('gallery') for scores in (a, b)]
    if sizes[0] != sizes[1]:
        found.append(f'size of the gallery: {sizes[0]} and {sizes[1]}')
    return found
