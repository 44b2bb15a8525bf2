"""Draw ranked lists of two or more models one over the other, for the same queries.

    python tools/visualization/compare_lists.py BASELINE.npz [...] METHOD.npz
        [--names baseline method] [--choice gain] [--num 4] [--topk 10]

The files are features of one benchmark, as tools/test.py --dump-features writes them.
Queries are those in which the last model gains most over the first in average
precision, loses most, or some drawn by --seed.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('files', nargs='+', type=Path, metavar='FILE.npz')
    parser.add_argument('--names', nargs='+', help='names of the models')
    parser.add_argument('--choice', choices=['gain', 'loss', 'random'], default='gain')
    parser.add_argument('--num', type=int, default=4, help='number of queries')
    parser.add_argument('--topk', type=int, default=10, help='length of the lists')
    parser.add_argument('--seed', type=int, default=0, help='of --choice random')
    parser.add_argument(
        '--out',
        type=Path,
        nargs='+',
        required=True,
        metavar='FILE',
        help='.png, .pdf or .svg',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.names and len(args.names) != len(args.files):
        parser.error(f'{len(args.names)} --names for {len(args.files)} files')
    if min(args.num, args.topk) < 1:
        parser.error(f'--num {args.num} --topk {args.topk}: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.evaluation import FeatureSet
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import compare_lists, draw_stacked_lists, save_figure
from hplreid.visualization.figures import check_figure_paths, name_runs


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    check_figure_paths(args.out)
    names = name_runs(args.files, args.names)
    with as_user_errors(OSError, ValueError):
        features = {
            name: FeatureSet.load(path)
            for name, path in zip(names, args.files, strict=True)
        }
        queries = compare_lists(features, args.choice, args.num, args.topk, args.seed)
        title = {
            'gain': f'largest gain of {names[-1]} over {names[0]}',
            'loss': f'largest loss of {names[-1]} against {names[0]}',
            'random': f'drawn at random, seed {args.seed}',
        }[args.choice]
        figure = draw_stacked_lists(queries, f'Queries: {title}')
    for path in args.out:
        print(save_figure(figure, path))


if __name__ == '__main__':
    run_tool(main, ARGS)
