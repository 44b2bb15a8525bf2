"""Download pre-trained weights: CLIP's, or a detector's, into their library's cache.

Nothing else here downloads anything, so run this once:

    python tools/model_converters/fetch_weights.py ViT-B-16-quickgelu openai
    python tools/model_converters/fetch_weights.py ssdlite320_mobilenet_v3_large coco

The first are open_clip's, to train with; the second torchvision's, which cut people out
of videos (docs/search.md).
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'arch',
        help='name of the tower in open_clip, such as ViT-B-16-quickgelu; or of the '
        'detector in torchvision',
    )
    parser.add_argument('tag', help='name of the weights, such as openai; coco')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import re

import torch
from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from hplreid.models.backbones import WeightsError, find_weights
from hplreid.search.video.detector import (
    DETECTORS,
    detector_url,
    find_detector_weights,
)
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError


class DownloadError(UserError, OSError):
    """Weights could not be downloaded."""


def fetch_detector(name: str) -> None:
    """Download a detector's weights, whose name has the start of their SHA-256."""
    path, url = find_detector_weights(name), detector_url(name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        start = re.search(r'-([0-9a-f]{8})\.pth$', path.name)
        try:
            torch.hub.download_url_to_file(url, str(path), start and start[1])
        except (OSError, RuntimeError) as error:
            raise DownloadError(f'{url} could not be downloaded: {error}') from error
    print(f'{name} coco: {path}')


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    if args.arch in DETECTORS and args.tag == 'coco':
        fetch_detector(args.arch)
        return
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
            raise DownloadError(
                f'{args.tag} of {args.arch} could not be downloaded: {error}'
            ) from error
    print(f'{args.arch} {args.tag}: {path}')


if __name__ == '__main__':
    run_tool(main, ARGS)
