"""Print the table of a paper: scores of runs, and published ones beside them.

    python tools/analysis_tools/tabulate_runs.py work_dirs/a work_dirs/b
        [--format markdown] [--metrics R1 mAP] [--published CONFIG ...]

A run is a work folder or the folder of a test, one with seed_* (mean and standard
deviation), or a ledger results.jsonl, each of whose evaluations gets a row. Published
scores are those of the metafile beside a run's config, for the benchmarks in the table;
they bear a dagger. Runs of other data or rules are refused.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN')
    parser.add_argument(
        '--names', nargs='+', help='names of the rows; default to the folders'
    )
    parser.add_argument(
        '--format', choices=['markdown', 'latex', 'csv'], default='markdown'
    )
    parser.add_argument(
        '--metrics', nargs='+', help='which, such as R1 mAP; defaults to all'
    )
    parser.add_argument(
        '--published',
        nargs='+',
        type=Path,
        default=[],
        metavar='CONFIG',
        help='also print what was published for these configs, on all benchmarks',
    )
    parser.add_argument(
        '--allow-differences',
        action='store_true',
        help='print runs of other data or rules, with the differences below',
    )
    parser.add_argument('--out', type=Path, metavar='FILE', help='write the table here')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.names and len(args.names) != len(args.runs):
        parser.error(f'{len(args.names)} --names for {len(args.runs)} runs')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import sys
from dataclasses import replace

from hplreid.engine.results.tables import (
    NoResultsError,
    OtherProtocolError,
    ResultRow,
    find_protocol_differences,
    find_published,
    format_results,
    read_rows,
)
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def add_published(rows: list[ResultRow]) -> list[ResultRow]:
    """Put what was published below the first row of each config."""
    benchmarks = {key.rpartition('/')[0] for row in rows for key in row.scores}
    added, seen = [], set()
    for row in rows:
        added.append(row)
        if row.config and row.config not in seen and not Path(row.config).is_file():
            print(
                f"{row.name}: {row.config} isn't here, so that what was published for "
                'it is not shown. Run this from the root of the repository.',
                file=sys.stderr,
            )
            seen.add(row.config)
        published = find_published(row.config, row.name) if row.config else None
        if published is None or row.config in seen:
            continue
        seen.add(row.config)
        shown = {
            key: score
            for key, score in published.scores.items()
            if key.rpartition('/')[0] in benchmarks
        }
        if shown:
            added.append(replace(published, scores=shown))
    return added


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    names = args.names or [None] * len(args.runs)
    rows = []
    for run, name in zip(args.runs, names, strict=True):
        with as_user_errors(OSError):
            rows += read_rows(run, name)
    differences = find_protocol_differences(rows)
    if differences and not args.allow_differences:
        raise OtherProtocolError(
            'The runs were not scored alike:\n  '
            + '\n  '.join(differences)
            + '\nTest them alike, or print these lines below the table with '
            '--allow-differences.'
        )
    rows = add_published(rows)
    for config in args.published:
        published = find_published(config)
        if published is None:
            raise NoResultsError(
                f'--published {config}: expected a config for which metafile.yml in '
                'its folder lists scores under Published.'
            )
        rows.append(published)
    text = format_results(rows, args.format, args.metrics)
    if args.format != 'csv':  # whose readers expect nothing else
        text = '\n'.join([text, *(f'\nNot alike: {line}' for line in differences)])
    print(text)
    if args.out:
        with atomic_path(args.out) as temporary:
            temporary.write_text(text + '\n', encoding='utf-8')


if __name__ == '__main__':
    run_tool(main, ARGS)
