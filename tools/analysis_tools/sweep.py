r"""Train a config with many values of its settings, and draw the scores.

    python tools/analysis_tools/sweep.py configs/hpl/hpl_tiny_synthpeds.py \
        model.heads.align.5.loss_weight=1,4,16 --seeds 0 1 2

A training that is done is skipped, one that was stopped goes on: the same command can
be given again, with more values or seeds, too. Each has the folder
<work folder>/<key=value>/seed_<n>. At the end, and with --only-report at once, means
and standard deviations are written (sweep.md, sweep.csv) and the curve is drawn.

Every combination is trained. With --optimize, Optuna chooses instead which ones are
worth it, in ranges and lists, for the highest mean of a score over the seeds:

    python tools/analysis_tools/sweep.py configs/hpl/hpl_tiny_synthpeds.py \
        model.heads.align.5.loss_weight=0.2:20:log \
        --optimize synthpeds_t2i/R1 --trials 20
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'axes',
        nargs='+',
        metavar='KEY=VALUES',
        help='V1,V2,...; with --optimize LOW:HIGH or LOW:HIGH:log, too',
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], metavar='S')
    parser.add_argument(
        '--optimize',
        metavar='SCORE',
        help='look for the highest SCORE, <benchmark>/<metric>, by Optuna',
    )
    parser.add_argument(
        '--trials',
        type=int,
        metavar='N',
        help='combinations that --optimize tries, those of earlier calls included; '
        'defaults to 20',
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        help='folder of the sweep; defaults to work_dirs/sweep_<name of the config>',
    )
    parser.add_argument(
        '--metrics', nargs='+', help='scores to draw and print; default to R1 and mAP'
    )
    parser.add_argument(
        '--train-args',
        nargs=argparse.REMAINDER,
        default=[],
        help='all that follows is given to tools/train.py',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='print what would be run, run nothing'
    )
    parser.add_argument(
        '--only-report', action='store_true', help='run nothing, report what is done'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.trials is not None and not args.optimize:
        parser.error('--trials is for --optimize: a grid has all of its values')
    if args.trials is not None and args.trials < 1:
        parser.error(f'--trials {args.trials}: expected 1 or more')
    args.trials = args.trials or 20
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import shlex
import sys
from collections.abc import Mapping, Sequence

from mmengine.config import Config

from hplreid.engine.config import read_config
from hplreid.engine.results.tables import ResultRow, format_results
from hplreid.engine.sweep import (
    GridPoint,
    SearchError,
    SweepStopped,
    best_row,
    check_origin,
    corners,
    find_state,
    make_grid,
    parse_axes,
    parse_space,
    propose_values,
    read_trials,
    run_grid,
    run_search,
    summarize_grid,
    trial_points,
    trial_score,
)
from hplreid.engine.sweep.run_grid import INTERRUPTED
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError
from hplreid.visualization import SweepPoint, draw_search, draw_sweep, save_figure

_TRAIN = Path(__file__).resolve().parents[1] / 'train.py'


def make_command(point: GridPoint, args: argparse.Namespace) -> list[str]:
    """Return the command line of a training."""
    resume = ['--resume'] if find_state(point) == 'begun' else []
    options = [f'{key}={value}' for key, value in point.values.items()]
    return [
        *(sys.executable, str(_TRAIN), args.config),
        *('--work-dir', str(point.folder), '--seed', str(point.seed)),
        *resume,
        *args.train_args,
        *('--cfg-options', *options),
    ]


def report(points: Sequence[GridPoint], folder: Path, args: argparse.Namespace) -> None:
    """Write and print the table, and draw the curve or the search."""
    rows = summarize_grid(points)
    if not rows:
        raise UserError(f"'{folder}' has no training of this sweep that is done.")
    metrics = args.metrics or ['R1', 'mAP']
    print(format_results(rows, metrics=metrics))
    for kind, suffix in (('markdown', 'md'), ('csv', 'csv')):
        with atomic_path(folder / f'sweep.{suffix}') as temporary:
            text = format_results(rows, kind, metrics)
            temporary.write_text(text + '\n', encoding='utf-8')
    values = {point.name: point.values for point in points}
    drawn = [as_point(row, dict(values[row.name])) for row in rows]
    title = Path(args.config).stem
    if args.optimize:
        best = best_row(rows, args.optimize)
        print(
            f'Best of {len(rows)} by {args.optimize}, {best.scores[args.optimize]}: '
            f'--cfg-options {best.name.replace(", ", " ")}\nThe values were chosen by '
            'this score: report them by data that had no part in it.'
        )
        figure = draw_search(drawn, args.optimize, title)
    else:
        names = [n for n in rows[0].scores if n.rpartition('/')[2] in set(metrics)]
        figure = draw_sweep(drawn, names, title)
    for suffix in ('png', 'pdf'):
        print(save_figure(figure, folder / f'sweep.{suffix}'))


def as_point(row: ResultRow, values: dict[str, str]) -> SweepPoint:
    """Return what is drawn of a row."""
    return SweepPoint(
        values,
        {name: score.mean for name, score in row.scores.items()},
        {n: s.spread for n, s in row.scores.items() if s.spread is not None},
    )


def main(args: argparse.Namespace) -> int:
    """Run the tool."""
    folder = args.work_dir or Path('work_dirs') / f'sweep_{Path(args.config).stem}'
    try:
        points = search(folder, args) if args.optimize else sweep(folder, args)
    except SweepStopped as stopped:
        print(stopped, file=sys.stderr)
        return INTERRUPTED
    if not args.dry_run:
        report(points, folder, args)
    return 0


def sweep(folder: Path, args: argparse.Namespace) -> list[GridPoint]:
    """Train every combination of values; return all trainings."""
    points = make_grid(parse_axes(args.axes), args.seeds, folder)
    # Every combination is checked first: a slip in the last one costs no training
    for values in {point.name: point.values for point in points}.values():
        check_values(values, args)
    check_origin(points, args.config)
    if args.dry_run:
        print_commands(points, args)
    elif not args.only_report:
        run_grid(points, lambda point: make_command(point, args), _say)
    return points


def search(folder: Path, args: argparse.Namespace) -> list[GridPoint]:
    """Train what the optimizer proposes; return the trainings of its whole trials."""
    space = parse_space(args.axes)
    for values in corners(space):
        config = check_values(values, args)
    benchmark, _, metric = args.optimize.rpartition('/')
    known = list(config.get('test_dataloader') or {})
    if not metric or benchmark.split('/')[0] not in known:
        raise SearchError(
            f"--optimize '{args.optimize}': expected <benchmark>/<metric>, such as "
            f'{known[0] if known else "market1501"}/R1; the benchmarks of the config '
            f'are {", ".join(known) or "none"}.'
        )
    trials = read_trials(folder, list(space))
    check_origin(trial_points(trials, args.seeds, folder), args.config)
    told = [(v, trial_score(v, args.optimize, args.seeds, folder)) for v in trials]
    if args.dry_run:
        following = propose_values(space, told, len(trials))
        print_commands(trial_points([*trials, following], args.seeds, folder), args)
        return []
    if not args.only_report:
        run_search(
            space,
            args.trials,
            args.optimize,
            args.seeds,
            folder,
            lambda point: make_command(point, args),
            _say,
        )
    whole = [
        values
        for values in read_trials(folder, list(space))
        if trial_score(values, args.optimize, args.seeds, folder) is not None
    ]
    return trial_points(whole, args.seeds, folder)


def check_values(values: Mapping[str, str], args: argparse.Namespace) -> Config:
    """Read the config with some values, which must fit."""
    return read_config(args.config, [f'{key}={value}' for key, value in values.items()])


def print_commands(points: Sequence[GridPoint], args: argparse.Namespace) -> None:
    """Print what would be run."""
    for point in points:
        print(f'{find_state(point)}: {shlex.join(make_command(point, args))}')


def _say(line: str) -> None:
    print(line, flush=True)  # before what the training prints


if __name__ == '__main__':
    run_tool(main, ARGS)
