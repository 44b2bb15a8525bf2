"""Which rows of results mustn't stand in one table without a word."""

from collections.abc import Sequence

from hplreid.utils.user_error import UserError

from .rows import ResultRow

# The method's own choice, or what the table shows anyway
_FREE = ('distance', 'normalized', 'tied', 'ties', 'skipped')


class OtherProtocolError(UserError, ValueError):
    """Rows were scored on other data or by other rules."""


def benchmarks_of(row: ResultRow) -> list[str]:
    """Return the benchmarks of a row, in its order.

    Example:
        >>> benchmarks_of(ResultRow('a', dict.fromkeys(['x/R1', 'y/R1', 'x/mAP'])))
        ['x', 'y']
    """
    return list(dict.fromkeys(key.rpartition('/')[0] for key in row.scores))


def find_protocol_differences(rows: Sequence[ResultRow]) -> list[str]:
    """Return what keeps measured rows from being compared.

    The data of a benchmark, its queries and gallery, the camera rule, re-ranking, the
    definition of AP and test-time augmentation must be the same. The distance is a
    method's own. What a row doesn't know isn't compared.

    Args:
        rows: The rows; published ones are left out, for their protocols aren't known.

    Returns:
        A message for each difference.

    Raises:
        OtherProtocolError: A row shares no benchmark with any other.

    Example:
        >>> from hplreid.engine.results.tables import Score
        >>> known = [{'toy': {'re-ranking': kind}} for kind in ('none', 'k1=20')]
        >>> rows = [
        ...     ResultRow(name, {'toy/R1': Score(1.0)}, protocols=protocol)
        ...     for name, protocol in zip('ab', known, strict=True)
        ... ]
        >>> find_protocol_differences(rows)
        ["toy: re-ranking is 'none' in a and 'k1=20' in b"]
    """
    own = [row for row in rows if not row.source]
    for row in own:
        shared = {b for other in own if other is not row for b in benchmarks_of(other)}
        if len(own) > 1 and not shared & set(benchmarks_of(row)):
            raise OtherProtocolError(
                f"'{row.name}' was scored on {', '.join(benchmarks_of(row))}, and no "
                f'other run on any of these, but on {", ".join(sorted(shared))}. '
                'Expected runs that share benchmarks.'
            )
    return [
        f"{benchmark}: {key} is '{first.protocols[benchmark][key]}' in {first.name} "
        f"and '{row.protocols[benchmark][key]}' in {row.name}"
        for benchmark in dict.fromkeys(b for row in own for b in row.protocols)
        for first, *others in [[r for r in own if benchmark in r.protocols]]
        for row in others
        for key in first.protocols[benchmark]
        if key not in _FREE
        and key in row.protocols[benchmark]
        and first.protocols[benchmark][key] != row.protocols[benchmark][key]
    ]
