"""Report where a model fails: a page with figures and tables.

    python tools/visualization/report_failures.py FEATURES.npz --out DIR

FEATURES.npz is what tools/test.py --dump-features writes. DIR gets report.md and, where
the features allow them: the worst queries, confused identities, scores by pair of
cameras and by length of caption, labels that look wrong, CMC and precision over recall,
and the scores of pairs with thresholds at FAR. --groups takes a table with a column
path (or caption) and others, such as occlusion: DIR gets the scores by each of them.
Of SynthPeds, tools/dataset_tools/describe_synthpeds.py writes one.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', type=Path, metavar='FEATURES.npz')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--num', type=int, default=6, help='cases of each kind')
    parser.add_argument('--topk', type=int, default=10, help='length of ranked lists')
    parser.add_argument(
        '--groups', type=Path, metavar='TABLE.csv', help='attributes of the queries'
    )
    parser.add_argument('--name', help="of the model; defaults to the file's")
    parser.add_argument(
        '--format', choices=['png', 'pdf', 'svg'], default='png', help='of figures'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a report in DIR'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if min(args.num, args.topk) < 1:
        parser.error(f'--num {args.num} --topk {args.topk}: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.engine.results import check_new_file
from hplreid.evaluation import FeatureSet
from hplreid.evaluation.files import name_items, read_attributes
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import write_failure_report


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    check_new_file(args.out / 'report.md', '--out', args.overwrite)
    with as_user_errors(OSError, ValueError, where=str(args.file)):
        features = FeatureSet.load(args.file)
    attributes = None
    if args.groups:
        query, _ = name_items(features)
        names = [item.caption or str(item.img_path) for item in query]
        with as_user_errors(OSError):
            attributes = read_attributes(args.groups, names)
    with as_user_errors(OSError, ValueError, where=str(args.file)):
        path = write_failure_report(
            features,
            args.out,
            name=args.name or args.file.stem,
            num=args.num,
            topk=args.topk,
            suffix=f'.{args.format}',
            attributes=attributes,
        )
    print(path)


if __name__ == '__main__':
    run_tool(main, ARGS)
