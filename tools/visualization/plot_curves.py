"""Draw the curves of one or many trainings, side by side.

    python tools/visualization/plot_curves.py work_dirs/a [work_dirs/b ...]
        [--keys loss grad_norm] [--out curves.png curves.pdf]

A run is a work folder. One of several seeds (``tools/train.py --seeds``) is drawn as
their mean, in a band of one standard deviation. --shares draws each loss term's share
of one run instead.
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
        '--keys', nargs='+', metavar='SCALAR', help='defaults to all but times'
    )
    parser.add_argument(
        '--names', nargs='+', help='names in the legend; defaults to the folders'
    )
    parser.add_argument(
        '--shares', action='store_true', help='share of each loss term; of one run'
    )
    parser.add_argument(
        '--out',
        type=Path,
        nargs='+',
        metavar='FILE',
        help='.png, .pdf or .svg; defaults to curves.png in the first run',
    )
    parser.add_argument('--title', default='', help='line above')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.names and len(args.names) != len(args.runs):
        parser.error(f'{len(args.names)} --names for {len(args.runs)} runs')
    if args.shares and len(args.runs) > 1:
        parser.error('--shares is of one run')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import (
    draw_loss_shares,
    draw_training_curves,
    find_logs,
    save_figure,
)
from hplreid.visualization.figures import FigureError, check_figure_paths


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    out = args.out or [args.runs[0] / f'{"shares" if args.shares else "curves"}.png']
    check_figure_paths(out)
    names = args.names or [str(run) for run in args.runs]
    if len(set(names)) < len(names):
        raise FigureError(f'Runs are told apart by name; got {", ".join(names)}.')
    with as_user_errors(OSError):
        runs = {n: find_logs(r) for n, r in zip(names, args.runs, strict=True)}
    if args.shares:
        (logs,) = runs.values()
        if len(logs) > 1:
            raise FigureError(
                f'{args.runs[0]} has {len(logs)} seeds; name one of its folders seed_*.'
            )
        figure = draw_loss_shares(logs[0], args.title)
    else:
        figure = draw_training_curves(runs, args.keys, args.title)
    for path in out:
        print(save_figure(figure, path))


if __name__ == '__main__':
    run_tool(main, ARGS)
