r"""Train a config with every combination of some values, and draw the scores.

    python tools/analysis_tools/sweep.py configs/hpl/hpl_tiny_synthpeds.py \
        model.heads.align.5.loss_weight=1,4,16 --seeds 0 1 2

A training that is done is skipped, one that was stopped goes on: the same command can
be given again, with more values or seeds, too. Each has the folder
<work folder>/<key=value>/seed_<n>. At the end, and with --only-report at once, means
and standard deviations are written (sweep.md, sweep.csv) and the curve is drawn.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('axes', nargs='+', metavar='KEY=V1,V2,...')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], metavar='S')
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
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import shlex
import sys
from collections.abc import Sequence

from hplreid.engine.config import read_config
from hplreid.engine.results.tables import ResultRow, format_results
from hplreid.engine.sweep import (
    GridPoint,
    SweepStopped,
    check_origin,
    find_state,
    make_grid,
    parse_axes,
    run_grid,
    summarize_grid,
)
from hplreid.engine.sweep.run_grid import INTERRUPTED
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError
from hplreid.visualization import SweepPoint, draw_sweep, save_figure

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
    """Write and print the table, and draw the curve."""
    rows = summarize_grid(points)
    if not rows:
        raise UserError(f"'{folder}' has no training of this sweep that is done.")
    metrics = args.metrics or ['R1', 'mAP']
    print(format_results(rows, metrics=metrics))
    for kind, suffix in (('markdown', 'md'), ('csv', 'csv')):
        with atomic_path(folder / f'sweep.{suffix}') as temporary:
            text = format_results(rows, kind, metrics)
            temporary.write_text(text + '\n', encoding='utf-8')
    names = [name for name in rows[0].scores if name.rpartition('/')[2] in set(metrics)]
    values = {point.name: point.values for point in points}
    figure = draw_sweep(
        [as_point(row, dict(values[row.name])) for row in rows],
        names,
        Path(args.config).stem,
    )
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
    axes = parse_axes(args.axes)
    folder = args.work_dir or Path('work_dirs') / f'sweep_{Path(args.config).stem}'
    points = make_grid(axes, args.seeds, folder)
    # Every combination is checked first: a slip in the last one costs no training
    for values in {point.name: point.values for point in points}.values():
        read_config(args.config, [f'{key}={value}' for key, value in values.items()])
    check_origin(points, args.config)
    if args.dry_run:
        for point in points:
            print(f'{find_state(point)}: {shlex.join(make_command(point, args))}')
        return 0
    if not args.only_report:
        try:
            run_grid(points, lambda point: make_command(point, args), _say)
        except SweepStopped as stopped:
            print(stopped, file=sys.stderr)
            return INTERRUPTED
    report(points, folder, args)
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # before what the training prints


if __name__ == '__main__':
    run_tool(main, ARGS)
