"""Scores in the order of papers, and the table of scores and settings."""

from collections.abc import Mapping, Sequence

from prettytable import PrettyTable

from .ranking.ranking_result import RankingResult

Rows = Mapping[str, Mapping[str, float | str]]


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


def format_table(rows: Rows, title: str) -> str:
    """Lay out one row per benchmark.

    Rows whose columns come in another order (those of the other task) get a table of
    their own below.

    Args:
        rows: Benchmark -> column -> score (two decimals are shown) or setting.
        title: Line above the first table, for what all rows share.

    Returns:
        The table or tables; a value that a row lacks shows as ``-``.

    Example:
        >>> from hplreid.evaluation import format_table
        >>> print(format_table({'market1501': {'mAP': 89.876, 'R1': 95.5}}, 'seed: 0'))
        +----------------------------+
        |          seed: 0           |
        +------------+-------+-------+
        | benchmark  |  mAP  |   R1  |
        +------------+-------+-------+
        | market1501 | 89.88 | 95.50 |
        +------------+-------+-------+
    """
    tables: list[dict[str, Mapping[str, float | str]]] = []
    for benchmark, row in rows.items():
        fitting = next((t for t in tables if _same_order(t, row)), None)
        if fitting is None:
            tables.append({benchmark: row})
        else:
            fitting[benchmark] = row
    parts = [_lay_out(t, title if i == 0 else None) for i, t in enumerate(tables)]
    return '\n'.join(parts)


def _same_order(rows: Rows, row: Mapping[str, float | str]) -> bool:
    """Return whether the columns that a row shares with others come in their order."""
    columns = _columns(rows)
    shared = [name for name in row if name in columns]
    return shared == sorted(shared, key=columns.index)


def _columns(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows.values() for name in row))


def _lay_out(rows: Rows, title: str | None) -> str:
    columns = _columns(rows)
    table = PrettyTable(['benchmark', *columns], title=title)
    table.align['benchmark'] = 'l'
    for benchmark, row in rows.items():
        table.add_row([benchmark, *(_show(row.get(name, '-')) for name in columns)])
    return table.get_string()


def _show(value: float | str) -> str:
    return value if isinstance(value, str) else f'{value:.2f}'
