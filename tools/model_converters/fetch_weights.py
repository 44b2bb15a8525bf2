"""Fetch pre-trained CLIP weights once, into open_clip's cache.

Training never downloads anything by itself; this does, when you ask:

    python tools/model_converters/fetch_weights.py ViT-B-16-quickgelu openai
"""

import argparse
import sys

from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from hplreid.models.backbones import WeightsError, find_weights


def main() -> int:
    """Fetch what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('arch', help='open_clip name, ViT-B-16-quickgelu say')
    parser.add_argument('tag', help="open_clip's name of the weights, openai say")
    args = parser.parse_args()
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
            # Whatever the hub's client raises without a network
            print(
                f'{args.tag} of {args.arch} was not fetched: {error}', file=sys.stderr
            )
            return 1
    print(f'{args.arch} {args.tag}: {path}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
