"""Draw CMC and precision over recall of several runs in one figure, with intervals.

    python tools/visualization/plot_score_curves.py RUN [RUN ...] --out curves.png

A run is a file of features (tools/test.py --dump-features) or of scores
(per_query/<benchmark>.npz of a test), which has no precision over recall: that panel is
drawn if all have features. Bands are 95 % intervals that draw identities anew.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('files', nargs='+', type=Path, metavar='RUN.npz')
    parser.add_argument('--names', nargs='+', help='names in the legend')
    parser.add_argument('--top', type=int, default=20, help='last rank of the CMC')
    parser.add_argument('--title', default='', help='line above')
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
    if args.top < 1:
        parser.error(f'--top {args.top}: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.evaluation import FeatureSet, PerQueryScores, find_differences
from hplreid.evaluation.files import OtherItemsError, check_same_items
from hplreid.evaluation.files.array_file import read_arrays
from hplreid.evaluation.inspection import (
    cmc_curve,
    precision_recall_curve,
    score_queries,
)
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import draw_score_curves, save_figure
from hplreid.visualization.figures import check_figure_paths, name_runs


def read(path: Path) -> tuple[PerQueryScores, FeatureSet | None]:
    """Read the scores of a run and, if the file has them, its features."""
    if 'query_feats' in read_arrays(path):
        features = FeatureSet.load(path)
        return score_queries(features), features
    return PerQueryScores.load(path), None


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    check_figure_paths(args.out)
    names = name_runs(args.files, args.names)
    scores, features = {}, {}
    for name, path in zip(names, args.files, strict=True):
        with as_user_errors(OSError, ValueError, where=str(path)):
            scores[name], features[name] = read(path)
    known = {n: found for n, found in features.items() if found is not None}
    if len(known) > 1:
        check_same_items(known)
    for name in names[1:]:
        differences = find_differences(scores[names[0]], scores[name])
        if differences:
            raise OtherItemsError(
                f'{names[0]} and {name} did not score the same: '
                f'{"; ".join(differences)}.'
            )
    with as_user_errors(ValueError):
        cmc = {name: cmc_curve(found, args.top) for name, found in scores.items()}
        precision = None
        if len(known) == len(names):
            precision = {n: precision_recall_curve(found) for n, found in known.items()}
    figure = draw_score_curves(cmc, precision, args.title)
    for path in args.out:
        print(save_figure(figure, path))


if __name__ == '__main__':
    run_tool(main, ARGS)
