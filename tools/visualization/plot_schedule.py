"""Draw the learning rate of a config before it is run.

    python tools/visualization/plot_schedule.py configs/hpl/hpl_tiny_synthpeds.py

The steps of an epoch follow from the training data; --steps does without them.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--steps',
        type=int,
        metavar='N',
        help="steps of an epoch; defaults to the training sampler's",
    )
    parser.add_argument(
        '--out',
        type=Path,
        nargs='+',
        metavar='FILE',
        help='.png, .pdf or .svg; defaults to schedule.png in work_dirs/<config>',
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
    if args.steps is not None and args.steps < 1:
        parser.error(f'--steps {args.steps}: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from hplreid.engine.config import flags, read_config
from hplreid.engine.loops.schedule_preview import preview_schedule
from hplreid.engine.loops.stage import Stage, parse_stages
from hplreid.engine.run import prepare_run
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import StageSchedule, draw_schedule, save_figure
from hplreid.visualization.figures import check_figure_paths


def count_steps(config: Config, stage: Stage) -> int:
    """Return the steps of an epoch, as the sampler counts them."""
    alone = {
        'data_preparers': config.get('data_preparers'),
        'train_dataloader': stage.dataloader,
    }
    prepare_run(Config(alone, filename=config.filename), training=False)
    loader = {**stage.dataloader, 'num_workers': 0}
    for key in ('persistent_workers', 'prefetch_factor', 'pin_memory'):
        loader.pop(key, None)
    return len(Runner.build_dataloader(loader, seed=0))


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, None)
    out = args.out or [Path(config.work_dir) / 'schedule.png']
    check_figure_paths(out)
    init_default_scope(config.get('default_scope', 'hplreid'))
    with as_user_errors(ValueError, OSError, where=args.config):
        stages = parse_stages(
            config.train_cfg.get('stages'),
            config.optim_wrapper,
            config.train_dataloader,
        )
        schedules = []
        for stage in stages:
            steps = args.steps or count_steps(config, stage)
            rates = preview_schedule(stage, steps)
            schedules.append(StageSchedule(stage.name, steps, rates))
            for name, values in rates.items():
                print(
                    f'{stage.name}, {name}: {values[0]:.3g} at first, '
                    f'{values.max():.3g} at most, {values[-1]:.3g} at last'
                )
    figure = draw_schedule(schedules, Path(args.config).stem)
    for path in out:
        print(save_figure(figure, path))


if __name__ == '__main__':
    run_tool(main, ARGS)
