"""Draw features in a plane, by identity, camera or modality.

    python tools/visualization/plot_embedding.py FEATURES.npz --out map.png map.html
        [--method tsne] [--color identity] [--num-ids 12]

FEATURES.npz is what tools/test.py --dump-features writes. A page (.html) shows the
image or the caption under the pointer. Of captions and images the gap is measured.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', type=Path, metavar='FEATURES.npz')
    parser.add_argument('--method', choices=['pca', 'tsne', 'umap'], default='tsne')
    parser.add_argument(
        '--color', choices=['identity', 'camera', 'modality'], default='identity'
    )
    parser.add_argument(
        '--num-ids',
        type=int,
        default=12,
        metavar='N',
        help='identities, drawn by --seed; 0 for all',
    )
    parser.add_argument('--perplexity', type=float, default=30.0)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--out',
        type=Path,
        nargs='+',
        required=True,
        metavar='FILE',
        help='.png, .pdf, .svg or .html',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.num_ids < 0 or args.num_ids == 1:
        parser.error(f'--num-ids {args.num_ids}: expected 0, or 2 or more')
    if args.perplexity <= 0:
        parser.error(f'--perplexity {args.perplexity:g}: expected more than 0')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.evaluation import FeatureSet
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import (
    choose_items,
    draw_embedding,
    measure_gap,
    project,
    save_figure,
    write_embedding_page,
)
from hplreid.visualization.figures import check_figure_paths


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    pages = [path for path in args.out if path.suffix == '.html']
    check_figure_paths(path for path in args.out if path not in pages)
    with as_user_errors(OSError, ValueError, where=str(args.file)):
        items = choose_items(
            FeatureSet.load(args.file), args.num_ids or None, args.seed
        )
        items.groups(args.color)  # before what takes longer
        places, words = project(items.feats, args.method, args.seed, args.perplexity)
        for path in args.out:
            if path in pages:
                print(write_embedding_page(items, places, path, words))
            else:
                figure = draw_embedding(items, places, args.color, words)
                print(save_figure(figure, path))
    captions = items.captions
    if captions.any() and not captions.all():
        gap = measure_gap(
            items.feats[~captions],
            items.feats[captions],
            items.pids[~captions],
            items.pids[captions],
        )
        print(gap)


if __name__ == '__main__':
    run_tool(main, ARGS)
