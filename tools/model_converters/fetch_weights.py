"""Download pre-trained CLIP weights into the cache of open_clip.

Training never downloads anything, so run this once:

    python tools/model_converters/fetch_weights.py ViT-B-16-quickgelu openai
"""

import argparse
import sys


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'arch', help='name of the tower in open_clip, such as ViT-B-16-quickgelu'
    )
    parser.add_argument('tag', help='name of the weights in open_clip, such as openai')
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from hplreid.models.backbones import WeightsError, find_weights


def main(args: argparse.Namespace) -> int:
    """Run the tool; return the exit status."""
    try:
        path = find_weights(args.arch, args.tag)
    except WeightsError as missing:
        tag = get_pretrained_cfg(args.arch.removesuffix('-quickgelu'), args.tag)
        if not tag or 'not on this machine' not in str(missing):
            print(missing, file=sys.stderr)
            return 1
        try:
            path = download_pretrained(tag)
        except Exception as error:
            # The client of the hub raises errors of many kinds without a network
            print(
                f'{args.tag} of {args.arch} could not be downloaded: {error}',
                file=sys.stderr,
            )
            return 1
    print(f'{args.arch} {args.tag}: {path}')
    return 0


if __name__ == '__main__':
    sys.exit(main(ARGS))
