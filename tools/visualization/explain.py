r"""Draw why a model finds what it finds: maps of relevance over images.

    python tools/visualization/explain.py CONFIG CHECKPOINT --query a.jpg b.jpg
    python tools/visualization/explain.py CONFIG CHECKPOINT --query a.jpg --match c.jpg
    python tools/visualization/explain.py CONFIG CHECKPOINT --query a.jpg \
        --caption 'a man in a red coat' --out map.png map.pdf

Without --match and --caption, each class token (HPL's v and u side by side): what its
feature is made of. With --match, why two images are similar, in both. With --caption,
why an image and a caption are, which words count, and which word lights which region.
A yellow patch is relevant; the line goes around the patches with half of the relevance.
Without --query the first queries of the config's first benchmark with images are drawn.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--query', nargs='+', type=Path, metavar='IMAGE', help='the images to explain'
    )
    parser.add_argument(
        '--match',
        nargs='+',
        type=Path,
        metavar='IMAGE',
        help='explain the similarity to these, one for each --query',
    )
    parser.add_argument(
        '--caption', metavar='TEXT', help='explain the similarity to this caption'
    )
    parser.add_argument(
        '--words',
        nargs='+',
        metavar='WORD',
        help="words of the caption, or phrases such as 'red bag', whose regions are "
        'drawn; defaults to the five words that count most',
    )
    parser.add_argument(
        '--token',
        nargs='+',
        metavar='NAME',
        help='class tokens or features, v and u say; defaults to all class tokens, and '
        'with --match to what images are compared by',
    )
    parser.add_argument(
        '--kind',
        choices=['gradient', 'rollout', 'attention', 'random'],
        default='gradient',
        help='gradient: gradient-weighted attention (Chefer et al.), of a ResNet '
        'Grad-CAM; rollout; attention: of the last block, as it is',
    )
    parser.add_argument(
        '--camera',
        nargs='+',
        type=int,
        metavar='N',
        help='cameras of --query and then of --match, from 0, for a model that embeds '
        'them; those of the benchmarks are known',
    )
    parser.add_argument(
        '--num', type=int, default=4, metavar='N', help='queries without --query'
    )
    parser.add_argument(
        '--out',
        nargs='+',
        type=Path,
        metavar='FILE',
        help='.png, .pdf or .svg; defaults to explain.png in work_dirs/<config>',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='change the config',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    queries = len(args.query or [])
    if args.num < 1:
        parser.error(f'--num {args.num}: expected 1 or more')
    if args.match and args.caption:
        parser.error('--match and --caption are two questions: ask one')
    if args.match and len(args.match) != queries:
        parser.error(f'{len(args.match)} --match for {queries} --query')
    if args.caption and queries != 1:
        parser.error('--caption is explained with one --query')
    if args.caption and args.token:
        parser.error('--token: a caption is compared with the T2I feature alone')
    if args.words and not args.caption:
        parser.error('--words are of a --caption')
    if args.camera and len(args.camera) != queries + len(args.match or []):
        parser.error('--camera: one for each --query and each --match')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.apis.explanations import (
    choose_queries,
    draw_caption_of,
    draw_pairs_of,
    draw_tokens_of,
    open_checkpoint,
)
from hplreid.engine.config import flags, read_config
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import save_figure
from hplreid.visualization.figures import check_figure_paths


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, None)
    out = args.out or [Path(config.work_dir) / 'explain.png']
    check_figure_paths(out)
    with as_user_errors(FileNotFoundError, where=args.checkpoint):
        opened = open_checkpoint(config, args.checkpoint)
    with as_user_errors(OSError, ValueError):
        named = [*(args.query or []), *(args.match or [])]
        paths, camids = choose_queries(config, opened, named, args.camera, args.num)
        if args.caption:
            figure = draw_caption_of(
                opened, paths[0], camids[0], args.caption, args.words, args.kind
            )
        elif args.match:
            figure = draw_pairs_of(opened, paths, camids, args.token, args.kind)
        else:
            figure = draw_tokens_of(opened, paths, camids, args.token, args.kind)
    for path in out:
        print(save_figure(figure, path))


if __name__ == '__main__':
    run_tool(main, ARGS)
