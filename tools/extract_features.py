r"""Encode images to one file of features, with paths and ids.

    python tools/extract_features.py MODEL OUT --images crops/ more/*.jpg
    python tools/extract_features.py MODEL OUT --table people.csv
    python tools/extract_features.py CONFIG OUT --weights FILE --benchmark market1501

MODEL is a checkpoint or a published file alone, or a config or a name with --weights.
OUT ends in .safetensors or .parquet; docs/inference.md says what is in it. What a
killed run has done is kept in OUT.parts, and the same command goes on from there.
Images that can't be read are listed at the end. Many processes, on one machine or on
several that see one folder, take a share each: --shard 1/4 to --shard 4/4; the command
without it then joins the shares to OUT, and encodes what one of them lacks.
"""

import argparse
from pathlib import Path


def parse_shard(text: str) -> tuple[int, int]:
    """Return the number of a shard, from 0, and how many there are."""
    number, _, count = text.partition('/')
    if not (number.isdecimal() and count.isdecimal() and 0 < int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}': expected 1/4, say, up to 4/4")
    return int(number) - 1, int(count)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', help='checkpoint, published file, config or name')
    parser.add_argument('out', type=Path)
    parser.add_argument('--weights', metavar='FILE', help='weights of a config or name')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        '--images', nargs='+', metavar='PATH', help='images, folders and globs'
    )
    what.add_argument(
        '--table',
        metavar='FILE',
        help='CSV, JSON, JSON lines or Parquet with a column path, and perhaps pid and '
        'camid',
    )
    what.add_argument(
        '--benchmark',
        metavar='NAME',
        help="images of a benchmark in the model's test_dataloader",
    )
    parser.add_argument(
        '--data-root', metavar='DIR', help="folder of a table's paths; default: its own"
    )
    parser.add_argument(
        '--task',
        choices=['i2i', 't2i'],
        default='i2i',
        help='whether they are compared with images (default) or with captions',
    )
    parser.add_argument(
        '--shard',
        type=parse_shard,
        metavar='I/N',
        help='encode the share I of N, from 1, into OUT.parts; write no OUT',
    )
    parser.add_argument('--strict', action='store_true', help='stop at a bad image')
    parser.add_argument('--overwrite', action='store_true', help='replace OUT')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--workers', type=int, help='threads that decode')
    parser.add_argument('--device', default='auto')
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='auto'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.out.suffix not in ('.safetensors', '.parquet'):
        parser.error(
            f"OUT='{args.out}': expected a name that ends in .safetensors or .parquet"
        )
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.apis import ReIDInferencer
from hplreid.apis.extraction import (
    extract_features,
    list_benchmark,
    list_given,
    list_table,
)
from hplreid.datasets.errors import list_faults
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    if args.images:
        entries = list_given(args.images)
    elif args.table:
        entries = list_table(args.table, args.data_root)
    with as_user_errors(ValueError):  # of the options
        inferencer = ReIDInferencer(
            args.model,
            args.weights,
            args.device,
            args.precision,
            batch_size=args.batch_size,
            workers=args.workers,
        )
    if args.benchmark:
        entries = list_benchmark(inferencer.config, args.benchmark)
    failures = extract_features(
        inferencer,
        entries,
        args.out,
        args.task,
        strict=args.strict,
        overwrite=args.overwrite,
        shard=args.shard,
    )
    if args.shard:
        print(
            f'Share {args.shard[0] + 1} of {args.shard[1]} is in {args.out}.parts. '
            'Once all are, the same command without --shard writes the file.'
        )
    else:
        print(f'{args.out}: features of {len(entries) - len(failures)} images')
    if failures:
        print(f"{len(failures)} images can't be read and have none:")
        print(list_faults(list(failures.values()), limit=len(failures)))


if __name__ == '__main__':
    run_tool(main, ARGS)
