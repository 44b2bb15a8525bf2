"""Make the SynthPeds dataset: ``--out DIR --size NAME --seed S --workers N``."""

import argparse
import sys
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Render the SynthPeds dataset.')
    parser.add_argument('--out', required=True, help='folder of the dataset')
    parser.add_argument(
        '--size', default='default', choices=['default', 'large', 'pretrain', 'tiny']
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--workers',
        type=int,
        default=None,
        help='number of processes; default: number of cores',
    )
    parser.add_argument(
        '--difficulty', default='default', choices=['default', 'easy', 'hard']
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace a SynthPeds dataset that was made with other settings',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hplreid.synthpeds import make_synthpeds
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def main(args: argparse.Namespace) -> None:
    """Make the dataset and print the number of images in each folder."""
    with as_user_errors(OSError, ValueError):
        manifest = make_synthpeds(
            args.out,
            args.size,
            args.seed,
            args.workers,
            args.overwrite,
            difficulty=args.difficulty,
        )
    print(f'{args.out}: {manifest["pictures"]} images')
    for folder, count in manifest['files'].items():
        print(f'  {folder}: {count}')


if __name__ == '__main__':
    run_tool(main, ARGS)
