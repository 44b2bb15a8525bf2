"""Test a checkpoint on all benchmarks of a config.

python tools/test.py configs/hpl/hpl_tiny_synthpeds.py CHECKPOINT

Each test has a folder of its own, <work folder>/test/<time, or --tag>, with its log,
config and scores; the work folder's results.jsonl gets a line.
"""

import argparse
import shutil


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Test a checkpoint')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir',
        help='folder in which test/ has the folder of each test; defaults to the '
        "config's, then to work_dirs/<name of the config>",
    )
    parser.add_argument(
        '--tag', metavar='NAME', help='name of the folder; defaults to the time'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace the test of that --tag, and files of --out, --show-dir and '
        '--dump-features, if they exist',
    )
    parser.add_argument(
        '--out', metavar='FILE', help='also write the scores to this JSON file'
    )
    parser.add_argument(
        '--show-dir',
        metavar='DIR',
        help='draw the ranked lists of some queries in this folder',
    )
    parser.add_argument(
        '--dump-features',
        nargs='?',
        const=True,
        metavar='DIR',
        help='write the features of each benchmark in this folder (.npz, see '
        'docs/evaluation.md); without DIR in features/ of the folder of the test',
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help='average the features of each image and its mirror image, or those of '
        'test_cfg.augment',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='encode in mixed precision, if the device is fast in it',
    )
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='score although the checkpoint lacks weights of the model, which then are '
        'random',
    )
    parser.add_argument('--no-pin-memory', action='store_true')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='change the config',
    )
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int)
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from mmengine.dist import is_main_process

from hplreid.engine.config import flags, read_config
from hplreid.engine.results import check_new_file, check_new_folder
from hplreid.engine.run import score
from hplreid.evaluation.files import read_scores, write_scores
from hplreid.utils.run_tool import run_tool


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, args.work_dir)
    flags.set_launcher(config, args.launcher, args.local_rank)
    flags.set_loader_options(config, not args.no_pin_memory)
    check_new_file(args.out, '--out', args.overwrite)
    check_new_folder(args.show_dir, '--show-dir', args.overwrite)
    if isinstance(args.dump_features, str):  # not True, for the folder of the test
        check_new_folder(args.dump_features, '--dump-features', args.overwrite)
    if args.show_dir:
        flags.draw_ranked_lists(config)
    if args.dump_features:
        config.test_cfg.dump_features = args.dump_features
    if args.tta:
        config.test_cfg.setdefault('augment', dict(flip=True))
    precision = 'auto' if args.amp else 'fp32'
    _, folder = score(
        config,
        args.checkpoint,
        precision,
        tag=args.tag,
        overwrite=args.overwrite,
        allow_missing=args.allow_missing,
    )
    if not is_main_process():
        return
    if args.out:
        write_scores(args.out, *read_scores(folder / 'metrics.json'))
    if args.show_dir:
        drawn = folder / 'ranked_lists'
        shutil.copytree(drawn, args.show_dir, dirs_exist_ok=True)


if __name__ == '__main__':
    run_tool(main, ARGS)
