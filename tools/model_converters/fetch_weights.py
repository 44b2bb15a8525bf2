"""Download pre-trained CLIP weights into the cache of open_clip.

Training never downloads anything, so run this once:

    python tools/model_converters/fetch_weights.py ViT-B-16-quickgelu openai
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'arch', help='name of the tower in open_clip, such as ViT-B-16-quickgelu'
    )
    parser.add_argument('tag', help='name of the weights in open_clip, such as openai')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from hplreid.models.backbones import WeightsError, find_weights
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    try:
        path = find_weights(args.arch, args.tag)
    except WeightsError as missing:
        tag = get_pretrained_cfg(args.arch.removesuffix('-quickgelu'), args.tag)
        if not tag or 'not on this machine' not in str(missing):
            raise
        try:
            path = download_pretrained(tag)
        except Exception as error:
            # The client of the hub raises errors of many kinds without a network
            raise UserError(
                f'{args.tag} of {args.arch} could not be downloaded: {error}'
            ) from error
    print(f'{args.arch} {args.tag}: {path}')


if __name__ == '__main__':
    run_tool(main, ARGS)
