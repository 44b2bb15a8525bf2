"""A table of results as Markdown, LaTeX or CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from hplreid.utils.user_error import UserError

from .rows import ResultRow

_DAGGER = '†'


def format_results(
    rows: Sequence[ResultRow],
    kind: str = 'markdown',
    metrics: Sequence[str] | None = None,
) -> str:
    """Lay out results: a line for each row, a column for each score.

    Published scores bear a dagger, are in italics and are named below; in CSV a column
    says who published them. The best of several measured scores is bold.

    Args:
        rows: The rows.
        kind: ``'markdown'``, ``'latex'`` (with booktabs) or ``'csv'``.
        metrics: Which metrics to show, such as ``['mAP', 'R1']``; defaults to all.

    Raises:
        UserError: There is no row, or none of the metrics.

    Example:
        >>> from hplreid.engine.results.tables import ResultRow, Score
        >>> rows = [
        ...     ResultRow('HPL', {'toy/R1': Score(52.5)}),
        ...     ResultRow('HPL', {'toy/R1': Score(76.28)}, source='the paper'),
        ... ]
        >>> print(format_results(rows))
        | method | toy R1 |
        | --- | ---: |
        | HPL | 52.50 |
        | *HPL †* | *76.28* |
        <BLANKLINE>
        † published, not measured here: HPL by the paper.
    """
    columns = _choose_columns(rows, metrics)
    return FORMATS[kind](rows, columns, _find_best(rows, columns))


def _choose_columns(
    rows: Sequence[ResultRow], metrics: Sequence[str] | None
) -> list[str]:
    """Return the scores to show, benchmark by benchmark, as the first row has them."""
    keys = list(dict.fromkeys(key for row in rows for key in row.scores))
    benchmarks = list(dict.fromkeys(key.rpartition('/')[0] for key in keys))
    columns = [
        key
        for benchmark in benchmarks
        for key in keys
        if key.rpartition('/')[0] == benchmark
        and (metrics is None or key.rpartition('/')[2] in metrics)
    ]
    if not columns:
        known = dict.fromkeys(key.rpartition('/')[2] for key in keys)
        raise UserError(
            f'No result has a score {", ".join(metrics or ())}: expected some of '
            f'{", ".join(known) or "any"}.'
        )
    return columns


def _find_best(rows: Sequence[ResultRow], columns: Sequence[str]) -> dict[str, str]:
    """Return the highest measured score of each column, as it is printed."""
    best = {}
    for column in columns:
        own = [
            row.scores[column].mean
            for row in rows
            if column in row.scores and not row.source
        ]
        if len(own) > 1:
            best[column] = f'{max(own):.2f}'
    return best


def _is_best(row: ResultRow, column: str, best: Mapping[str, str]) -> bool:
    return (
        not row.source
        and column in row.scores
        and f'{row.scores[column].mean:.2f}' == best.get(column)
    )


def _notes(rows: Sequence[ResultRow]) -> list[str]:
    """Return the lines below a table."""
    published = [f'{row.name} by {row.source}' for row in rows if row.source]
    notes = []
    if published:
        listed = '; '.join(published)
        notes.append(f'{_DAGGER} published, not measured here: {listed}.')
    seeds = [f'{row.name} {row.seeds}' for row in rows if row.seeds > 1]
    if seeds:
        listed = ', '.join(seeds)
        notes.append(f'Mean ± standard deviation over seeds, their number: {listed}.')
    return notes


def _format_markdown(
    rows: Sequence[ResultRow], columns: Sequence[str], best: Mapping[str, str]
) -> str:
    heads = [column.replace('/', ' ').replace('|', '\\|') for column in columns]
    lines = [
        f'| method | {" | ".join(heads)} |',
        f'| --- | {" | ".join("---:" for _ in heads)} |',
    ]
    for row in rows:
        cells = []
        for column in columns:
            score = row.scores.get(column)
            text = '' if score is None else str(score)
            if score is not None and row.source:
                text = f'*{text}*'
            elif _is_best(row, column, best):
                text = f'**{text}**'
            cells.append(text)
        name = f'*{row.name} {_DAGGER}*' if row.source else row.name
        lines.append(f'| {name} | {" | ".join(cells)} |')
    return '\n'.join([*lines, *(f'\n{note}' for note in _notes(rows))])


def _format_latex(
    rows: Sequence[ResultRow], columns: Sequence[str], best: Mapping[str, str]
) -> str:
    groups: list[list[str]] = []  # neighbors of one benchmark share a heading
    for column in columns:
        benchmark, _, metric = column.rpartition('/')
        if groups and groups[-1][0] == benchmark:
            groups[-1].append(metric)
        else:
            groups.append([benchmark, metric])
    heads = [
        rf'\multicolumn{{{len(metrics)}}}{{c}}{{{_escape(benchmark)}}}'
        for benchmark, *metrics in groups
    ]
    rules, begin = [], 2
    for _, *metrics in groups:
        end = begin + len(metrics) - 1
        rules.append(rf'\cmidrule(lr){{{begin}-{end}}}')
        begin = end + 1
    names = [_escape(metric) for _, *metrics in groups for metric in metrics]
    lines = [
        rf'\begin{{tabular}}{{l{"r" * len(columns)}}}',
        r'\toprule',
        rf' & {" & ".join(heads)} \\',
        ' '.join(rules),
        rf'method & {" & ".join(names)} \\',
        r'\midrule',
    ]
    for row in rows:
        cells = []
        for column in columns:
            score = row.scores.get(column)
            text = '--' if score is None else _escape(str(score))
            if score is not None and row.source:
                text = rf'\textit{{{text}}}'
            elif _is_best(row, column, best):
                text = rf'\textbf{{{text}}}'
            cells.append(text)
        name = _escape(row.name)
        if row.source:
            name = rf'\textit{{{name}}}$^\dagger$'
        lines.append(rf'{name} & {" & ".join(cells)} \\')
    notes = [
        rf'\multicolumn{{{len(columns) + 1}}}{{l}}{{\footnotesize {text}}} \\'
        for text in map(_escape, _notes(rows))
    ]
    return '\n'.join([*lines, r'\bottomrule', *notes, r'\end{tabular}'])


def _escape(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    special = {'\\': r'\textbackslash{}', '~': r'\~{}', '^': r'\^{}'}
    special |= {_DAGGER: r'$^\dagger$', '±': r'$\pm$'}
    special |= {letter: f'\\{letter}' for letter in '&%$#_{}'}
    return ''.join(special.get(letter, letter) for letter in text)


def _format_csv(
    rows: Sequence[ResultRow], columns: Sequence[str], best: Mapping[str, str]
) -> str:
    spreads = {c for c in columns for r in rows if _spread(r, c) is not None}
    heads = [h for c in columns for h in (c, f'{c} spread') if h == c or c in spreads]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['method', 'published by', 'seeds', *heads])
    for row in rows:
        cells: list[object] = []
        for column in columns:
            score = row.scores.get(column)
            cells.append('' if score is None else f'{score.mean:.4f}')
            if column in spreads:
                spread = _spread(row, column)
                cells.append('' if spread is None else f'{spread:.4f}')
        seeds = '' if row.source else row.seeds
        writer.writerow([row.name, row.source, seeds, *cells])
    return text.getvalue().rstrip('\n')


def _spread(row: ResultRow, column: str) -> float | None:
    return row.scores[column].spread if column in row.scores else None


FORMATS: dict[
    str, Callable[[Sequence[ResultRow], Sequence[str], Mapping[str, str]], str]
] = {'markdown': _format_markdown, 'latex': _format_latex, 'csv': _format_csv}
"""How a table can be written."""
