"""Write what images of SynthPeds show to a table, for scores by group.

    python tools/dataset_tools/describe_synthpeds.py data/synthpeds --out groups.csv

The renderer knows how much of each person something stands in front of: the images are
rendered again and compared with the files. The table has the columns path, caption,
hidden, occluder, view and walking; tools/visualization/report_failures.py --groups
takes it. By default it is about the queries of both tasks and what captions describe.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('root', type=Path, help='folder of the dataset')
    parser.add_argument(
        '--out', type=Path, required=True, metavar='TABLE.csv', help='the table'
    )
    parser.add_argument(
        '--folders',
        nargs='+',
        default=['Market-1501-v15.09.15/query', 'CUHK-PEDES/imgs/test_query'],
        help='folders in it whose images are described',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a table at --out'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import csv
from collections.abc import Iterable

from tqdm import tqdm

from hplreid.engine.results import check_new_file
from hplreid.synthpeds import describe_images
from hplreid.synthpeds.image_table import COLUMNS
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError, as_user_errors


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    check_new_file(args.out, '--out', args.overwrite)
    images = []
    for folder in args.folders:
        found = sorted((args.root / folder).glob('*.jpg'))
        if not found:
            raise UserError(
                f"'{args.root / folder}' has no images: expected a folder of the "
                'dataset that tools/dataset_tools/make_synthpeds.py has made.'
            )
        images += found
    with as_user_errors(OSError, ValueError), atomic_path(args.out) as temporary:
        rows = describe_images(args.root, images)
        write_table(temporary, rows, len(images))
    print(args.out)


def write_table(path: Path, rows: Iterable[dict[str, str]], num_images: int) -> None:
    """Write rows to a table as they come."""
    last = None
    with (
        path.open('w', encoding='utf-8', newline='') as file,
        tqdm(total=num_images, unit='image', desc='Rendered') as done,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            done.update(row['path'] != last)  # an image with captions has several rows
            last = row['path']


if __name__ == '__main__':
    run_tool(main, ARGS)
