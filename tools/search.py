r"""Index images in a gallery, and search in it by images, words, or both.

    python tools/search.py index GALLERY --model FILE --images crops/
    python tools/search.py query GALLERY --model FILE --words "a man in a red coat"
    python tools/search.py query GALLERY --like ID --out found.png
    python tools/search.py remove GALLERY --ids ID [ID ...]
    python tools/search.py info GALLERY
    python tools/search.py serve [GALLERY --model FILE]

GALLERY is a folder, or http://HOST:PORT/COLLECTION of a Qdrant server. docs/search.md
says what all of it means.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Arguments = argparse.Namespace


def add_index(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``index``."""
    _add_model(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        '--images', nargs='+', metavar='PATH', help='images, folders and globs'
    )
    what.add_argument(
        '--table',
        metavar='FILE',
        help='CSV, JSON, JSON lines or Parquet with a column path, and perhaps id, '
        'camera, time, left, top, width, height, track and source',
    )
    what.add_argument(
        '--benchmark', metavar='NAME', help="images of a benchmark in the model's "
        'test_dataloader'
    )  # fmt: skip
    what.add_argument(
        '--video',
        nargs='+',
        metavar='FILE',
        help='videos, of which people are cut out by a detector (docs/search.md)',
    )
    what.add_argument(
        '--from',
        dest='origin',
        metavar='GALLERY',
        help='copy a gallery; with --model, encode its images anew if it is another',
    )
    parser.add_argument(
        '--root', metavar='DIR', help='folder that paths are relative to, kept for good'
    )
    add_video_options(parser)
    parser.add_argument(
        '--camera',
        help='camera of all --images, or of all --video (default: the name of each)',
    )
    parser.add_argument('--source', help='source of all --images')
    parser.add_argument(
        '--pattern',
        metavar='REGEX',
        help='groups camera, time, track, source in the paths of --images, such as '
        r'"_c(?P<camera>\d+)"',
    )
    parser.add_argument(
        '--update', action='store_true', help='encode items anew that are there already'
    )
    parser.add_argument('--strict', action='store_true', help='stop at a bad image')
    parser.add_argument(
        '--thresholds',
        nargs='+',
        default=[],
        metavar='TASK=FILE',
        help='i2i=..., t2i=...: what eval_features.py --verification --out wrote',
    )
    parser.add_argument(
        '--approximate',
        action='store_true',
        help='build the index of approximate searches, and print its recall',
    )


def add_video_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how people are cut out of videos."""
    group = parser.add_argument_group('people in --video')
    group.add_argument(
        '--every', type=float, metavar='SECONDS', help='between frames (default: 1)'
    )
    group.add_argument(
        '--detector', metavar='NAME', help='of torchvision; a wrong one lists them'
    )
    group.add_argument(
        '--detector-weights', metavar='FILE', help='default: those that were fetched'
    )
    group.add_argument(
        '--confidence', type=float, help='least of a person, 0 to 1 (default: 0.7)'
    )
    group.add_argument(
        '--start', metavar='DATE', help='of the first frame; else times begin at 0'
    )


def add_query(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``query``."""
    _add_model(parser)
    parser.add_argument(
        '--images', nargs='+', default=[], metavar='PATH', help='images of the person'
    )
    parser.add_argument(
        '--words', nargs='+', default=[], metavar='CAPTION', help='captions'
    )
    parser.add_argument(
        '--weight',
        type=float,
        default=0.5,
        help='of the words, 0 to 1, beside images (default: 0.5)',
    )
    parser.add_argument(
        '--like', nargs='+', default=[], metavar='ID', help='items of the person'
    )
    parser.add_argument(
        '--unlike', nargs='+', default=[], metavar='ID', help='items of others'
    )
    parser.add_argument('--topk', type=int, default=10)
    parser.add_argument('--camera', nargs='+', default=[], help='of these cameras')
    parser.add_argument('--source', nargs='+', default=[], help='of these sources')
    parser.add_argument('--since', metavar='TIME', help='a date (UTC), or seconds')
    parser.add_argument('--until', metavar='TIME', help='likewise')
    parser.add_argument(
        '--far',
        type=float,
        help='false-accept rate of the threshold that tells matches, a measured one '
        '(default: 1e-3 if the gallery has thresholds)',
    )
    parser.add_argument(
        '--approximate',
        action='store_true',
        help='search through the index; its recall is printed',
    )
    parser.add_argument(
        '--out',
        nargs='+',
        default=[],
        type=Path,
        metavar='FILE',
        help='write the hits, too: *.json, *.csv, or drawn: *.png, *.jpg',
    )


def add_remove(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``remove``."""
    parser.add_argument('--ids', nargs='+', required=True, metavar='ID')


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``info``: none of its own."""


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``serve``."""
    _add_model(parser)
    parser.add_argument('--host', default='127.0.0.1', help='default: %(default)s')
    parser.add_argument(
        '--port', type=int, default=8080, help='0 for a free one (default: %(default)s)'
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--model', help='checkpoint, published file, config or name')
    parser.add_argument('--weights', metavar='FILE', help='weights of a config or name')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--device', default='auto')
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='auto'
    )


HELP = dict(
    index='add images to a gallery, which is made if it is not there',
    query='search by images, words, or items that were found',
    remove='remove items',
    info='print what is in a gallery, and what it was made with',
    serve='serve a page in the browser; without a gallery, of rendered people',
)
ADD: dict[str, Callable[[argparse.ArgumentParser], None]] = dict(
    index=add_index, query=add_query, remove=add_remove, info=add_info, serve=add_serve
)


def parse_args() -> Arguments:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, add in ADD.items():
        command = commands.add_parser(name, help=HELP[name], description=HELP[name])
        command.add_argument(
            'gallery',
            nargs='?' if name == 'serve' else None,
            help='folder, or http://HOST:PORT/COLLECTION',
        )
        add(command)
        command.add_argument(
            '--debug', action='store_true', help='show the traceback of every error'
        )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import json
import os
from dataclasses import replace

from hplreid.apis import ReIDInferencer
from hplreid.apis.extraction import list_benchmark
from hplreid.datasets.errors import list_faults
from hplreid.search import (
    Calibration,
    Filters,
    Gallery,
    GalleryError,
    Indexed,
    Item,
    Query,
    QueryError,
    VideoError,
    copy_gallery,
    gallery_exists,
    index_images,
    list_items,
    list_table_items,
    parse_time,
    read_calibration,
)
from hplreid.search.reports import check_suffix, format_found, write_found
from hplreid.search.serve.command import run_command as serve
from hplreid.search.stores.opening import is_server
from hplreid.search.video import PersonDetector, cut_people
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def load_model(args: Arguments) -> ReIDInferencer | None:
    """Load the model, if there is one."""
    if args.model is None:
        return None
    with as_user_errors(ValueError):  # of the options
        return ReIDInferencer(
            args.model,
            args.weights,
            args.device,
            args.precision,
            batch_size=args.batch_size,
        )


def cut_given(args: Arguments, root: str | None) -> tuple[list[Item], str]:
    """Cut people out of the videos that the command line names."""
    if root is None and is_server(args.gallery):
        raise GalleryError(
            'Images of people in videos need a folder: give --root, for galleries on '
            'a server have none.'
        )
    if root is None:
        root = f'{os.path.normpath(os.path.expanduser(args.gallery))}-crops'
    given = dict(
        name=args.detector, weights=args.detector_weights, confidence=args.confidence
    )
    detector = PersonDetector(
        device=args.device, **{k: v for k, v in given.items() if v is not None}
    )
    items, said = cut_people(
        args.video,
        root,
        detector,
        1.0 if args.every is None else args.every,
        0.0 if args.start is None else parse_time(args.start),
        args.camera,
    )
    print('\n'.join(said))
    if not items:
        raise VideoError(
            f'No person is found: look at the videos, or lower --confidence (now '
            f'{detector.confidence:g}).'
        )
    return items, root


def list_given(
    args: Arguments, root: str | None, inferencer: ReIDInferencer | None
) -> tuple[list[Item], str | None]:
    """List the items that the command line names, and their root."""
    if args.images:
        return list_items(args.images, root, args.camera, args.source, args.pattern)
    if args.video:
        return cut_given(args, root)
    if args.table:
        return list_table_items(args.table, root)
    if args.benchmark and inferencer is not None:
        return list_benchmark_items(args.benchmark, root, inferencer)
    return [], root


def list_benchmark_items(
    name: str, root: str | None, inferencer: ReIDInferencer
) -> tuple[list[Item], str]:
    """List the images of a benchmark with their cameras and identities."""
    entries = list_benchmark(inferencer.config, name)
    items, root = list_items([entry.path for entry in entries], root)
    known = {os.path.abspath(entry.path): entry for entry in entries}
    entries = [known[os.path.join(root, str(item.path))] for item in items]
    return [
        replace(item, camera=str(entry.camid), source=name, meta=dict(pid=entry.pid))
        for item, entry in zip(items, entries, strict=True)
    ], root


def read_thresholds(given: list[str]) -> dict[str, Calibration]:
    """Read the thresholds of each task."""
    found = {}
    for one in given:
        task, _, path = one.partition('=')
        if task not in ('i2i', 't2i') or not path:
            raise QueryError(f'--thresholds {one}: expected i2i=FILE or t2i=FILE.')
        found[task] = read_calibration(path)
    return found


def index(args: Arguments) -> None:
    """Add images to a gallery."""
    thresholds = read_thresholds(args.thresholds)
    wanted = bool(args.images or args.table or args.benchmark or args.video)
    for name in ('every', 'detector', 'detector_weights', 'confidence', 'start'):
        if getattr(args, name) is not None and not args.video:
            option = name.replace('_', '-')
            raise QueryError(f'--{option} is of --video, which is not given.')
    if wanted and args.model is None:
        raise QueryError('Images are encoded by a model: give --model.')
    gallery, done = fill(args, wanted)
    with gallery:
        for task, calibration in thresholds.items():
            gallery.calibrate(task, calibration)
        if done is not None:
            print_indexed(gallery, done)
        if args.approximate:
            recall = gallery.build_index()
            print(f'Approximate searches find {recall:.1%} of the 10 nearest items.')


def fill(args: Arguments, wanted: bool) -> tuple[Gallery, Indexed | None]:
    """Open or make a gallery, and add what is asked for."""
    inferencer = load_model(args)
    if args.origin:
        with Gallery.open(args.origin) as origin:
            return copy_gallery(origin, args.gallery, inferencer)
    exists = gallery_exists(args.gallery)
    if not exists and not wanted:
        raise GalleryError(
            f"There is no gallery in '{args.gallery}': to make one, give --model and "
            '--images, --table, --benchmark or --video; or --from.'
        )
    if exists:
        gallery = Gallery.open(args.gallery, inferencer)
    else:
        items, root = list_given(args, args.root, inferencer)
        assert inferencer is not None
        gallery = Gallery.create(args.gallery, inferencer, root)
    if not wanted:
        return gallery, None
    try:
        if exists:
            items, _ = list_given(args, gallery.root, inferencer)
        options = dict(update=args.update, strict=args.strict)
        return gallery, index_images(gallery, items, **options)
    except BaseException:
        gallery.close()
        raise


def print_indexed(gallery: Gallery, done: Indexed) -> None:
    """Print what became of items."""
    print(
        f'{gallery.url}: {done.added} items added, {done.known} there already, '
        f'{gallery.count()} in all'
    )
    if done.failures:
        print(f"{len(done.failures)} images can't be read and aren't there:")
        print(list_faults(list(done.failures.values()), limit=len(done.failures)))


def query(args: Arguments) -> None:
    """Search in a gallery."""
    for path in args.out:
        check_suffix(path)
    asked = Query(args.images, args.words, args.weight, args.like, args.unlike)
    filters = Filters(
        args.camera,
        args.source,
        None if args.since is None else parse_time(args.since),
        None if args.until is None else parse_time(args.until),
    )
    if (asked.images or asked.words) and args.model is None:
        raise QueryError('Images and words are encoded by a model: give --model.')
    inferencer = load_model(args)
    if inferencer is not None:
        inferencer.progress = False
    with Gallery.open(args.gallery, inferencer) as gallery:
        found = gallery.search(
            asked, args.topk, filters, args.far, approximate=args.approximate
        )
        print(format_found(found))
        for path in args.out:
            write_found(found, path, gallery, asked)


def remove(args: Arguments) -> None:
    """Remove items from a gallery."""
    with Gallery.open(args.gallery) as gallery:
        gallery.remove(args.ids)
        print(f'{gallery.url}: {len(args.ids)} items removed, {gallery.count()} left')


def info(args: Arguments) -> None:
    """Print what is known of a gallery."""
    with Gallery.open(args.gallery) as gallery:
        known: dict[str, Any] = dict(
            gallery.describe(), cameras=gallery.cameras(), sources=gallery.sources()
        )
    print(json.dumps(known, indent=2))


RUN: dict[str, Callable[[Arguments], None]] = dict(
    index=index, query=query, remove=remove, info=info, serve=serve
)


def main(args: Arguments) -> None:
    """Run the tool."""
    RUN[args.command](args)


if __name__ == '__main__':
    run_tool(main, ARGS)
