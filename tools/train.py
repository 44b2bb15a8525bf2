"""Train a method, then test it on the benchmarks of its config.

python tools/train.py configs/hpl/hpl_tiny_synthpeds.py
"""

import argparse
import os


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Train and test a method')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help="folder for logs, checkpoints and scores; defaults to the config's, then "
        'to work_dirs/<name of the config>',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CKPT',
        help='resume from a checkpoint; without a file, from the last one of the work '
        'folder',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision in all stages, if the device is fast in it',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='no validation while training'
    )
    parser.add_argument(
        '--no-test', action='store_true', help='do not test the final weights'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='remove the checkpoints and scores of another training in the work folder',
    )
    parser.add_argument('--no-pin-memory', action='store_true')
    parser.add_argument('--no-persistent-workers', action='store_true')
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument('--seed', type=int, help='random seed')
    seeds.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        metavar='S',
        help='train once for each seed, in seed_<S> of the work folder, and print mean '
        'and standard deviation of the scores',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='change the config: train_dataloader.batch_size=64 '
        'train_cfg.stages.align.epochs=1',
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
    if os.environ.get('RANK', '0') == '0':
        print(
            f'Training by {ARGS.config}. Missing data are made first; the first losses '
            'come some 10 s later, with the time left.',
            flush=True,
        )

from hplreid.engine.config import flags, read_config
from hplreid.engine.interruption import stop_on_signals
from hplreid.engine.run import (
    check_training_folders,
    prepare_run,
    train,
    train_seeds,
)
from hplreid.utils.run_tool import run_tool


@stop_on_signals()
def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, args.work_dir)
    flags.set_launcher(config, args.launcher, args.local_rank)
    flags.set_resume(config, args.resume)
    flags.set_seed(config, args.seed)
    if args.amp:
        flags.set_amp(config)
    if args.no_validate:
        flags.disable_validation(config)
    flags.set_loader_options(
        config, not args.no_pin_memory, not args.no_persistent_workers
    )
    check_training_folders(config, args.seeds or (), args.overwrite)
    prepare_run(config)
    if args.seeds:
        train_seeds(config, args.seeds, not args.no_test, args.overwrite)
    else:
        train(config, not args.no_test, args.overwrite)


if __name__ == '__main__':
    run_tool(main, ARGS)
