"""The table that reports scores together with what moves them."""

from collections.abc import Mapping

from prettytable import PrettyTable


def format_table(rows: Mapping[str, Mapping[str, float | str]], title: str) -> str:
    """Lay out one row a benchmark.

    Args:
        rows: Benchmark -> column -> score (two decimals are shown) or setting.
        title: Line above, for what all rows share.

    Returns:
        The table; a value that a row lacks shows as ``-``.
    """
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = PrettyTable(['benchmark', *columns], title=title)
    table.align['benchmark'] = 'l'
    for benchmark, row in rows.items():
        table.add_row([benchmark, *(_show(row.get(name, '-')) for name in columns)])
    return table.get_string()


def _show(value: float | str) -> str:
    return value if isinstance(value, str) else f'{value:.2f}'
