"""Rows of a table of results, read from what runs have written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from hplreid.evaluation.files import LEDGER, read_ledger, read_scores
from hplreid.utils.user_error import UserError

_METRICS = 'metrics.json'


class NoResultsError(UserError, ValueError):
    """A path has no results of a run."""


@dataclass(frozen=True)
class Score:
    """A score in percent: its mean over seeds and their sample standard deviation.

    Example:
        >>> str(Score(76.284)), str(Score(76.284, 0.312))
        ('76.28', '76.28 ± 0.31')
    """

    mean: float
    spread: float | None = None

    def __str__(self) -> str:
        around = '' if self.spread is None else f' ± {self.spread:.2f}'
        return f'{self.mean:.2f}{around}'


@dataclass(frozen=True)
class ResultRow:
    """Scores of a run, of several seeds of one, or of a publication.

    Attributes:
        name: What the table calls it.
        scores: By ``<benchmark>/<metric>``.
        source: Who published the scores; empty if they were measured by this package.
        seeds: Number of runs that the means are of.
        config: The config file of the run; empty if not known.
        protocols: What moves the scores of each benchmark, by name; empty if not known.
    """

    name: str
    scores: Mapping[str, Score]
    source: str = ''
    seeds: int = 1
    config: str = ''
    protocols: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_rows(path: str | Path, name: str | None = None) -> list[ResultRow]:
    """Read the results at a path.

    Args:
        path: A work folder or the folder of a test (its ``metrics.json``); a folder
            with runs of several seeds, ``seed_*``, which make a row; a file of scores;
            or a ledger, ``results.jsonl``, whose evaluations make a row each, the last
            one of each folder.
        name: Name of the row; defaults to that of the folder.

    Raises:
        FileNotFoundError: There is no such path.
        NoResultsError: There are no results in it, or seeds have different scores.
        ScoreFileError: A file is of another kind.

    Example:
        >>> from hplreid.evaluation.files import write_scores
        >>> for seed, score in ((0, 70.0), (1, 72.0)):
        ...     write_scores(f'hpl/seed_{seed}/metrics.json', {'toy/mAP': score}, {})
        >>> (row,) = read_rows('hpl')
        >>> row.name, str(row.scores['toy/mAP']), row.seeds
        ('hpl', '71.00 ± 1.41', 2)
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"'{path}' does not exist.")
    if path.is_file():
        if path.suffix == Path(LEDGER).suffix:
            return _read_ledger(path, name)
        return [_read_file(path, name or path.resolve().parent.name)]
    own = name or path.resolve().name
    if (path / _METRICS).is_file():
        return [_read_file(path / _METRICS, own)]
    seeds = sorted(path.glob(f'seed_*/{_METRICS}'))
    if not seeds:
        raise NoResultsError(
            f"'{path}' has no results: expected {_METRICS}, which a test writes, or "
            f'seed_*/{_METRICS} of a training with --seeds.'
        )
    return [join_seeds([_read_file(file, own) for file in seeds])]


def join_seeds(rows: Sequence[ResultRow]) -> ResultRow:
    """Return the row of means over runs that differ in their seed alone.

    Raises:
        NoResultsError: The runs have different scores.

    Example:
        >>> rows = [ResultRow('a', {'toy/R1': Score(v)}) for v in (1.0, 2.0, 6.0)]
        >>> str(join_seeds(rows).scores['toy/R1'])
        '3.00 ± 2.65'
    """
    first = rows[0]
    if any(row.scores.keys() != first.scores.keys() for row in rows):
        every = sorted({key for row in rows for key in row.scores})
        raise NoResultsError(
            f"Seeds of '{first.name}' have different scores: only some have "
            f'{", ".join(k for k in every if any(k not in r.scores for r in rows))}.'
        )
    if len(rows) == 1:
        return first
    scores = {}
    for key in first.scores:
        values = [row.scores[key].mean for row in rows]
        scores[key] = Score(mean(values), stdev(values))
    return ResultRow(
        first.name,
        scores,
        seeds=len(rows),
        config=first.config,
        protocols=first.protocols,
    )


def _read_file(path: Path, name: str) -> ResultRow:
    return _make_row(name, *read_scores(path), str(path))


def _read_ledger(path: Path, name: str | None) -> list[ResultRow]:
    entries, _ = read_ledger(path)
    last = {str(entry.get('folder', '.')): entry for entry in entries}
    if not last:
        raise NoResultsError(f"'{path}' has no evaluation.")
    own = name or path.resolve().parent.name
    return [
        _make_row(
            own if folder == '.' else f'{own}: {folder.removeprefix("test/")}',
            entry.get('scores') or {},
            entry.get('provenance') or {},
            f"'{path}', {folder}",
        )
        for folder, entry in last.items()
    ]


def _make_row(
    name: str, scores: Mapping[str, Any], provenance: Mapping[str, Any], where: str
) -> ResultRow:
    numbers = {k: v for k, v in scores.items() if isinstance(v, (int, float))}
    if not numbers:
        raise NoResultsError(
            f'{where} has no scores <benchmark>/<metric>; got {json.dumps(scores):.80}.'
        )
    return ResultRow(
        name,
        {key: Score(float(value)) for key, value in numbers.items()},
        config=str((provenance.get('config') or {}).get('file') or ''),
        protocols=_read_protocols(provenance),
    )


def _read_protocols(provenance: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what moves the scores of each benchmark: its data, settings and TTA."""
    protocols = {}
    for benchmark, content in (provenance.get('benchmarks') or {}).items():
        settings: Mapping[str, Any] = next(
            iter((content.get('protocol') or {}).values()), {}
        )
        protocols[benchmark] = {
            **{key: str(value) for key, value in settings.items()},
            'data': str(content.get('dataset') or '')[:8],
            'TTA': str(provenance.get('tta', 'none')),
        }
    return protocols
