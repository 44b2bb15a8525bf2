"""Say how sure the scores of a run are, or the difference between two runs.

    python tools/analysis_tools/compare_runs.py work_dirs/a
    python tools/analysis_tools/compare_runs.py work_dirs/a work_dirs/b

A run is a work folder of ``tools/train.py`` or ``tools/test.py``, or the ``--out``
folder of ``eval_features.py``: it has a file for each benchmark in ``per_query``. Runs
are compared on the benchmarks that both have, and only if their queries are the same.

Intervals are percentile bootstraps that draw identities anew; p-values are of a
two-sided permutation test that swaps the runs, identity by identity. Both say what
other test images would change, not what another training seed would.
"""

import argparse
from pathlib import Path


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
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from prettytable import PrettyTable

from hplreid.evaluation import (
    PerQueryScores,
    bootstrap_mean,
    compare_means,
    find_differences,
)
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def read_run(folder: Path) -> dict[str, PerQueryScores]:
    """Read every benchmark of a run.

    Raises:
        FileNotFoundError: The folder has none.
        ArrayFileError: A file can't be read.
    """
    files = sorted((folder / 'per_query').glob('*.npz'))
    if not files:
        raise FileNotFoundError(
            f"'{folder}' has no per_query/*.npz. Expected a work folder in which a "
            'test has run.'
        )
    return {path.stem: PerQueryScores.load(path) for path in files}


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
        ValueError: They share no benchmark, or queries of one differ.
    """
    shared = [name for name in a if name in b]
    if not shared:
        raise ValueError(f'no benchmark in common: {list(a)} and {list(b)}.')
    found = {name: find_differences(a[name], b[name]) for name in shared}
    problems = [f'\n  {name}: {p}' for name, own in found.items() for p in own]
    if problems:
        raise ValueError(f'the runs did not score the same:{"".join(problems)}')
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


def other_settings(
    a: dict[str, PerQueryScores], b: dict[str, PerQueryScores]
) -> list[str]:
    """Say which settings of the evaluation differ: they may be what is compared."""
    lines = []
    for name in (n for n in a if n in b):
        left, right = a[name].settings, b[name].settings
        lines += [
            f'{name}: {key}: {left.get(key, "-")} and {right.get(key, "-")}'
            for key in dict.fromkeys([*left, *right])
            if left.get(key) != right.get(key)
        ]
    return lines


def _options(args: argparse.Namespace) -> dict:
    return dict(
        confidence=args.confidence, num_resamples=args.resamples, seed=args.seed
    )


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
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


if __name__ == '__main__':
    run_tool(main, ARGS)
