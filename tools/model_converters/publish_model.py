"""Publish a trained model: what it needs at test, in one safetensors file.

    python tools/model_converters/publish_model.py CHECKPOINT OUT.safetensors

The file has the weights of inference, unrounded, and in its metadata the resolved
config, preprocessing, label count, scores and hashes. It alone is a model for
``hplreid.ReIDInferencer``, a checkpoint for ``tools/test.py``, and ``pretrained`` of a
tower.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument(
        '--metrics',
        metavar='FILE',
        type=Path,
        help='metrics.json with the scores of these weights; defaults to the one '
        'beside the checkpoint, if it is of these weights',
    )
    parser.add_argument(
        '--note', default='', help='a note on how it was made, stored in the file'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.out.suffix != '.safetensors':
        parser.error(f"OUT='{args.out}': expected a name that ends in .safetensors")
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.apis.publishing import publish_model
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    with as_user_errors(FileNotFoundError):
        print(publish_model(args.checkpoint, args.out, args.metrics, args.note))


if __name__ == '__main__':
    run_tool(main, ARGS)
