"""Serve a page in the browser to search a gallery with.

    python -m hplreid.search.serve
    python -m hplreid.search.serve GALLERY --model FILE [--port 8080]

Without arguments the gallery is one of rendered people (SynthPeds), made at the first
start. docs/search.md says how to make one of your own images.
"""

import argparse

from hplreid.utils.run_tool import run_tool

from .command import add_arguments, run_command


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m hplreid.search.serve',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('gallery', nargs='?', help='folder, or URL of a collection')
    parser.add_argument('--model', help='checkpoint, published file, config or name')
    parser.add_argument('--weights', metavar='FILE', help='weights of a config or name')
    parser.add_argument('--device', default='auto')
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='auto'
    )
    add_arguments(parser)
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    run_tool(run_command, parse_args())
