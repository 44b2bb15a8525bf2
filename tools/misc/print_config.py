"""Print what a config comes to, and where each value comes from.

    python tools/misc/print_config.py configs/hpl/hpl_tiny_synthpeds.py
    python tools/misc/print_config.py CONFIG --only train_cfg.stages.align \
        --cfg-options train_dataloader.num_workers=4

A line for each setting of what is run: its key, its value, and the file and line that
set it, or ``--cfg-options``. Where a stage takes over what all stages share, its line
ends in ``shared`` and the key at the top under which it is set; a stage's own setting
has its own file and line. ``--plain`` prints the config as it is written to the work
folder instead.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--only', default='', metavar='KEY', help='only what is below this key'
    )
    parser.add_argument(
        '--plain', action='store_true', help='the config alone, as it is dumped'
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
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from hplreid.engine.config import read_config
from hplreid.engine.config.errors import ConfigError, suggest
from hplreid.engine.config.options import parse_options
from hplreid.engine.config.sources import Setting, list_settings, read_family
from hplreid.utils.run_tool import run_tool


def format_settings(settings: list[Setting]) -> str:
    """Return a line for each setting, the places of all in one column."""
    left = [f'{s.key} = {s.value!r}' for s in settings]
    width = min(max(map(len, left), default=0), 88)
    return '\n'.join(
        f'{text.ljust(width)}  # {s.origin}{_explain_share(s)}'
        for text, s in zip(left, settings, strict=True)
    )


def _explain_share(setting: Setting) -> str:
    return '' if setting.set_as == setting.key else f', shared: {setting.set_as}'


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    if args.plain:
        print(config.pretty_text)
        return
    settings = list(
        list_settings(
            config.to_dict(), read_family(args.config), parse_options(args.cfg_options)
        )
    )
    above = args.only and f'{args.only}.'
    below = [s for s in settings if f'{s.key}.'.startswith(above)]
    if not below:
        keys = {
            '.'.join(s.key.split('.')[: n + 1])
            for s in settings
            for n in range(s.key.count('.') + 1)
        }
        raise ConfigError(
            f'--only {args.only}: the config has nothing there.'
            f'{suggest(args.only, sorted(keys))}'
        )
    print(format_settings(below))


if __name__ == '__main__':
    run_tool(main, ARGS)
