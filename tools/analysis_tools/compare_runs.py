"""Say how sure the scores of a run are, or the difference between two runs.

    python tools/analysis_tools/compare_runs.py work_dirs/a
    python tools/analysis_tools/compare_runs.py work_dirs/a work_dirs/b

A run is the work folder of a training, the folder of a test in it (``test/<name>``), or
the ``--out`` folder of ``eval_features.py``: it has a file for each benchmark in
``per_query``. Runs are compared on the benchmarks that both have, and only if their
queries and their data are the same; what else differs is said. Of a work folder, all
evaluations in its ``results.jsonl`` are listed.

Intervals are percentile bootstraps that draw identities anew; p-values are of a
two-sided permutation test that swaps the runs, identity by identity. Both say what
other test images would change, not what another training seed would.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('run', type=Path)
    parser.add_argument('other', type=Path, nargs='?')
    parser.add_argument('--topk', nargs='+', type=int, default=[1, 5, 10])
    parser.add_argument('--confidence', type=float, default=0.95, metavar='SHARE')
    parser.add_argument('--resamples', type=int, default=9999, metavar='N')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if not 0 < args.confidence < 1:
        parser.error(f'--confidence {args.confidence:g}: expected between 0 and 1')
    if args.resamples < 1:
        parser.error(f'--resamples {args.resamples}: expected 1 or more')
    if min(args.topk) < 1:
        parser.error(f'--topk {min(args.topk)}: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from prettytable import PrettyTable

from hplreid.evaluation import (
    PerQueryScores,
    bootstrap_mean,
    compare_means,
    find_differences,
)
from hplreid.evaluation.files import LEDGER, read_ledger
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError, as_user_errors

# What the title of a table of scores says, too; other parts of the provenance are told
# apart by their own rules
_NAMED = ('tta', 'precision', 'device', 'processes', 'versions', 'commit')


class NoRunError(UserError, FileNotFoundError):
    """A folder has no scores of queries."""


class OtherRunsError(UserError, ValueError):
    """Two runs can't be compared."""


def read_run(folder: Path) -> dict[str, PerQueryScores]:
    """Read every benchmark of a run.

    Raises:
        NoRunError: The folder has none.
        ArrayFileError: A file can't be read.
    """
    files = sorted((folder / 'per_query').glob('*.npz'))
    if files:
        return {path.stem: PerQueryScores.load(path) for path in files}
    tests = [str(path.parent) for path in sorted(folder.glob('test/*/per_query'))]
    hint = f' It has tests: {", ".join(tests)}.' if tests else ''
    raise NoRunError(
        f"'{folder}' has no per_query/*.npz. Expected a work folder in which a "
        f'test has run, or the folder of a test.{hint}'
    )


def list_evaluations(folder: Path) -> str:
    """Return the table of all evaluations of a work folder; empty without a ledger."""
    entries, damaged = read_ledger(folder / LEDGER)
    if not entries and not damaged:
        return ''
    header = ['folder', 'time', 'checkpoint', 'weights', 'score', 'value', 'protocol']
    table = PrettyTable(header, title=f'evaluations in {folder}', align='l')
    for entry in entries:
        provenance = entry.get('provenance') or {}
        checkpoint = provenance.get('checkpoint') or {}
        start = [
            entry.get('folder', '-'),
            entry.get('time', '-'),
            Path(checkpoint.get('path') or '-').name,
            (checkpoint.get('weights_sha256') or '-')[:8],
        ]
        for name, value in _first_scores(entry.get('scores') or {}):
            protocol = _describe_protocol(provenance, name)
            table.add_row([*start, name, f'{value:.2f}', protocol])
            start = [''] * len(start)
    left_out = ', '.join(map(str, damaged))
    note = f'\nLeft out of {LEDGER}, as they are damaged: lines {left_out}'
    return table.get_string() + (note if damaged else '')


def _first_scores(scores: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield the first score of each benchmark or prefix: the one papers print first."""
    seen = set()
    for name, value in scores.items():
        benchmark = name.rpartition('/')[0]
        if benchmark not in seen:
            seen.add(benchmark)
            yield name, value


def _describe_protocol(provenance: Mapping[str, Any], score: str) -> str:
    """Return what distinguishes the protocol of a score, in words."""
    benchmark, *prefix = score.split('/')[:-1]
    found = (provenance.get('benchmarks') or {}).get(benchmark, {}).get('protocol', {})
    settings = found.get('/'.join(prefix)) or next(iter(found.values()), {})
    parts = [f'{k}: {settings[k]}' for k in ('distance', 're-ranking') if k in settings]
    tta = provenance.get('tta', 'none')
    return ' | '.join([*parts, *([tta] if tta != 'none' else [])])


def describe_one(run: dict[str, PerQueryScores], args: argparse.Namespace) -> str:
    """Return the table of one run's scores and their intervals."""
    header = ['benchmark', 'score', 'mean', f'{100 * args.confidence:g} % interval']
    table = PrettyTable(header, title=str(args.run))
    for benchmark, per_query in run.items():
        for name, values in per_query.scores(args.topk).items():
            found = bootstrap_mean(values, per_query.pids, **_options(args))
            interval = f'{found.low:.2f} to {found.high:.2f}'
            table.add_row([benchmark, name, f'{found.mean:.2f}', interval])
    return table.get_string()


def compare(
    a: dict[str, PerQueryScores],
    b: dict[str, PerQueryScores],
    args: argparse.Namespace,
) -> str:
    """Return the table of two runs' scores and their differences.

    Raises:
        OtherRunsError: They share no benchmark, or queries or data of one differ.
    """
    where = f'{args.run}, {args.other}'
    shared = [name for name in a if name in b]
    if not shared:
        raise OtherRunsError(
            f'{where}: no benchmark in common: {list(a)} and {list(b)}.'
        )
    found = {
        name: [*find_differences(a[name], b[name]), *_other_data(name, a, b)]
        for name in shared
    }
    problems = [f'\n  {name}: {p}' for name, own in found.items() for p in own]
    if problems:
        raise OtherRunsError(
            f'{where}: the runs did not score the same:{"".join(problems)}'
        )
    header = [
        *('benchmark', 'score', 'first', 'second', 'difference'),
        *(f'{100 * args.confidence:g} % interval', 'p'),
    ]
    table = PrettyTable(header, title=f'first: {args.run} | second: {args.other}')
    for benchmark in shared:
        for name, values in a[benchmark].scores(args.topk).items():
            others = b[benchmark].scores(args.topk)[name]
            pids = a[benchmark].pids
            test = compare_means(values, others, pids, **_options(args))
            counted = a[benchmark].first_hit > 0
            row = [values[counted].mean(), others[counted].mean()]
            table.add_row(
                [
                    *(benchmark, name, *(f'{score:.2f}' for score in row)),
                    *(
                        f'{test.difference:+.2f}',
                        f'{test.low:+.2f} to {test.high:+.2f}',
                    ),
                    f'{test.p_value:.4f}',
                ]
            )
    return table.get_string()


def _other_data(
    name: str, a: Mapping[str, PerQueryScores], b: Mapping[str, PerQueryScores]
) -> list[str]:
    """Return a message if a benchmark's items are known to differ."""
    hashes = [_hash_of_data(name, run[name].provenance) for run in (a, b)]
    if None in hashes or hashes[0] == hashes[1]:
        return []
    return [
        'paths, identities, cameras or captions of the items differ (hashes '
        f'{hashes[0][:8]} and {hashes[1][:8]})'
    ]


def _hash_of_data(name: str, provenance: Mapping[str, Any]) -> str | None:
    """Return the hash of a benchmark's items; its file may be named with a prefix."""
    benchmarks = provenance.get('benchmarks') or {}
    of_file = [b for b in benchmarks if name == b or name.startswith(f'{b}_')]
    longest = max(of_file, key=len, default=None)
    return benchmarks[longest].get('dataset') if longest is not None else None


def other_settings(
    a: dict[str, PerQueryScores], b: dict[str, PerQueryScores]
) -> list[str]:
    """Say what else differs: it may be what is compared, or may spoil it."""
    lines = []
    shared = [name for name in a if name in b]
    for name in shared:
        left, right = a[name].settings, b[name].settings
        lines += [
            f'{name}: {key}: {left.get(key, "-")} and {right.get(key, "-")}'
            for key in dict.fromkeys([*left, *right])
            if left.get(key) != right.get(key)
        ]
    one, other = a[shared[0]].provenance, b[shared[0]].provenance
    return lines + [
        f'{key}: {one[key]} and {other[key]}'
        for key in _NAMED
        if key in one and key in other and one[key] != other[key]
    ]


def same_weights(
    a: dict[str, PerQueryScores], b: dict[str, PerQueryScores]
) -> str | None:
    """Return a line if both runs are known to have scored the same weights."""
    hashes = [
        (next(iter(run.values())).provenance.get('checkpoint') or {}).get(
            'weights_sha256'
        )
        for run in (a, b)
    ]
    if hashes[0] is None or hashes[0] != hashes[1]:
        return None
    return f'Both runs scored the same weights ({hashes[0][:8]}).'


def _options(args: argparse.Namespace) -> dict:
    return dict(
        confidence=args.confidence, num_resamples=args.resamples, seed=args.seed
    )


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    for folder in (args.run, args.other):
        listed = list_evaluations(folder) if folder else ''
        if listed:
            print(listed)
    where = f'{args.run}{f", {args.other}" if args.other else ""}'
    with as_user_errors(ValueError, OSError, where=where):
        first = read_run(args.run)
        if args.other is None:
            print(describe_one(first, args))
            return
        second = read_run(args.other)
        print(compare(first, second, args))
    left_out = sorted(first.keys() ^ second.keys())
    if left_out:
        print(f'In one run alone: {", ".join(left_out)}')
    for line in other_settings(first, second):
        print(f'Settings differ: {line}')
    same = same_weights(first, second)
    if same:
        print(same)


if __name__ == '__main__':
    run_tool(main, ARGS)
