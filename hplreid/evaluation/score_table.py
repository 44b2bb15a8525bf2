"""Scores in the order of papers, and the table of scores and settings."""

import textwrap
from collections.abc import Mapping, Sequence

from prettytable import PrettyTable

from .ranking.ranking_result import RankingResult

Rows = Mapping[str, Mapping[str, float | str]]

_COUNTS = ('queries', 'tied', 'gallery')  # columns, even if all rows have the same
_WIDTH = 100


def list_scores(
    ranking: RankingResult, topk: Sequence[int], task: str
) -> dict[str, float]:
    """Return the scores of a ranking, in the order in which papers print them.

    Args:
        ranking: The ranking.
        topk: Cut-offs of the CMC.
        task: ``'i2i'`` gives mAP, R1, R5, R10, mINP; any other task R1, R5, R10, mAP,
            mINP.

    Returns:
        Percent, by name.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_distances, list_scores
        >>> ranking = evaluate_distances(np.array([[0.2, 0.1]]), [7], [7, 3])
        >>> list_scores(ranking, topk=[1, 5], task='i2i')
        {'mAP': 50.0, 'R1': 0.0, 'R5': 100.0, 'mINP': 50.0}
    """
    mean_ap = {'mAP': ranking.mean_ap}
    ranks = {f'R{k}': ranking.rank_k(k) for k in topk}
    first = {**mean_ap, **ranks} if task == 'i2i' else {**ranks, **mean_ap}
    return {**first, 'mINP': ranking.mean_inp}


def list_ties(ranking: RankingResult) -> dict[str, str]:
    """Return what a table of scores has to say of ties; nothing if there are none.

    Args:
        ranking: The ranking.

    Returns:
        ``'tied'``: queries of which a match is exactly as close as a mismatch, and the
        R1 that orders of the gallery may give; ``'ties'`` if these are averaged over.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import evaluate_distances, list_ties
        >>> list_ties(evaluate_distances(np.array([[0.1, 0.1]]), [7], [7, 3]))
        {'tied': '1 (R1 0.00 to 100.00)'}
    """
    found = {'ties': 'expected'} if ranking.ties == 'expected' else {}
    if ranking.num_tied_queries:
        low, high = ranking.r1_range()
        found['tied'] = f'{ranking.num_tied_queries} (R1 {low:.2f} to {high:.2f})'
    return found


def format_table(rows: Rows, title: str) -> str:
    """Lay out one row per benchmark.

    Settings that all rows share are listed above. Where matches tie with mismatches, a
    line below says what that means. Rows whose columns come in another
    order (those of the other task) get a table of their own below.

    Args:
        rows: Benchmark -> column -> score (two decimals are shown) or setting.
        title: Text above the table, of what all rows share; it is broken at ' | '.

    Returns:
        The table or tables; a value that a row lacks shows as ``-``.

    Example:
        >>> from hplreid.evaluation import format_table
        >>> row = {'mAP': 89.876, 'R1': 95.5, 'AP': 'step'}
        >>> print(format_table({'market1501': row}, 'seed: 0'))
        seed: 0 | AP: step
        +------------+-------+-------+
        | benchmark  |  mAP  |   R1  |
        +------------+-------+-------+
        | market1501 | 89.88 | 95.50 |
        +------------+-------+-------+
    """
    notes = _note_ties(rows)
    shared = _shared_settings(rows)
    above = [
        *title.split(' | '),
        *(f'{name}: {value}' for name, value in shared.items()),
    ]
    rows = {
        benchmark: {name: row[name] for name in row if name not in shared}
        for benchmark, row in rows.items()
    }
    tables: list[dict[str, Mapping[str, float | str]]] = []
    for benchmark, row in rows.items():
        fitting = next((t for t in tables if _same_order(t, row)), None)
        if fitting is None:
            tables.append({benchmark: row})
        else:
            fitting[benchmark] = row
    return '\n'.join([*_wrap(above), *map(_lay_out, tables), *notes])


def _note_ties(rows: Rows) -> list[str]:
    """Return the lines that explain the queries of which a match ties."""
    by_order, expected = (
        [
            name
            for name, row in rows.items()
            if 'tied' in row and (row.get('ties') == 'expected') == wanted
        ]
        for wanted in (False, True)
    )
    start = 'tied: queries of which a match is exactly as close as a mismatch.'
    lines = []
    if by_order:
        lines += _fill(
            f'{start} Scores of {", ".join(by_order)} depend on the order of the '
            "gallery: has the model collapsed? ties='expected' gives the mean over "
            'orders.'
        )
    if expected:
        lines += _fill(
            f'{start} Scores of {", ".join(expected)} are means over the orders of '
            'the gallery.'
        )
    return lines


def _fill(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _wrap(items: Sequence[str]) -> list[str]:
    """Return lines of items with bars between them, broken at bars."""
    fixed = ' | '.join(items).replace(' ', '\0').replace('\0|\0', '\0| ')
    lines = textwrap.wrap(fixed, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [line.replace('\0', ' ').removesuffix(' |') for line in lines]


def _shared_settings(rows: Rows) -> dict[str, str]:
    """Return the settings, not scores or counts, that are the same in all rows."""
    first = next(iter(rows.values()), {})
    return {
        name: value
        for name, value in first.items()
        if isinstance(value, str)
        and name not in _COUNTS
        and all(row.get(name) == value for row in rows.values())
    }


def _same_order(rows: Rows, row: Mapping[str, float | str]) -> bool:
    """Return whether the columns that a row shares with others come in their order."""
    columns = _columns(rows)
    shared = [name for name in row if name in columns]
    return shared == sorted(shared, key=columns.index)


def _columns(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows.values() for name in row))


def _lay_out(rows: Rows) -> str:
    columns = _columns(rows)
    table = PrettyTable(['benchmark', *columns])
    table.align['benchmark'] = 'l'
    for benchmark, row in rows.items():
        table.add_row([benchmark, *(_show(row.get(name, '-')) for name in columns)])
    return table.get_string()


def _show(value: float | str) -> str:
    return value if isinstance(value, str) else f'{value:.2f}'
