"""Put the resized images of a config into a cache, for quicker loading.

    python tools/dataset_tools/build_cache.py configs/hpl/hpl_vitb16_joint.py

Then add ``--cfg-options image_cache=data/cache`` to any command, or a line
``image_cache = 'data/cache'`` to the config. See docs/loading.md.
"""

import argparse
import os


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help="height and width; default: those of the config's pipelines",
    )
    parser.add_argument(
        '--out', help="folder; default: the config's image_cache, then data/cache"
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=os.cpu_count() or 1,
        metavar='N',
        help='threads; default: all cores',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='make every image anew'
    )
    parser.add_argument(
        '--verify',
        action='store_true',
        help='build nothing; compare the contents of cache and files with checksums',
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
    if args.workers < 1:
        parser.error(f'--workers must be at least 1, got {args.workers}')
    if args.size and min(args.size) < 1:
        parser.error(f'--size must be pixels, got {args.size}')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from mmengine.registry import init_default_scope
from prettytable import PrettyTable

from hplreid.datasets.images.cache_builder import Built, verify_cache
from hplreid.datasets.images.cache_index import CacheKey
from hplreid.engine.config.check import check_types
from hplreid.engine.config.image_cache import build_caches, collect_images
from hplreid.engine.config.prepare import prepare_data
from hplreid.engine.config.read import read_config
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError, as_user_errors


def tabulate(done: dict[CacheKey, Built]) -> PrettyTable:
    """Say what was done, a row a cache."""
    table = PrettyTable(['cache', 'images', 'made now', 'MB'])
    table.align['cache'] = 'l'
    for key, built in done.items():
        size = f'{built.size / 1e6:,.1f}'
        table.add_row([key.stem, built.images, built.made, size])
    return table


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    folder = args.out or config.get('image_cache') or 'data/cache'
    config.image_cache = None  # which isn't there yet
    init_default_scope('hplreid')
    faults: list[str] = []
    check_types(config)
    with as_user_errors(OSError, ValueError):
        prepare_data(config)
        wanted = collect_images(config, tuple(args.size) if args.size else None)
        if args.verify:
            faults = [
                f for key in wanted for f in verify_cache(folder, key, wanted[key])
            ]
        else:
            print(tabulate(build_caches(folder, wanted, args.workers, args.overwrite)))
    if faults:
        raise UserError('\n'.join(faults))
    print(f'{folder}: complete. Use it: --cfg-options image_cache={folder}')


if __name__ == '__main__':
    run_tool(main, ARGS)
