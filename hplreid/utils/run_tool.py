"""Run a command-line tool: a user's mistake is a message, a bug shows its traceback."""

import argparse
import sys
import traceback
from collections.abc import Callable
from typing import Any

from .failure_board import name_process, post_failure
from .user_error import UserError, plain_message


def run_tool(
    main: Callable[[argparse.Namespace], Any], args: argparse.Namespace
) -> None:
    """Call ``main(args)`` and exit with what it returns.

    A :class:`.UserError` is printed as a message, and the tool exits with 2, as for a
    mistake on the command line. Any other exception is a bug of ours or of a library:
    its traceback is printed, with the request to report it. ``args.debug``, where a
    tool has it, shows the traceback in both cases. Of several processes the first to
    fail says why; the others follow with a line or, if it's the same error, silently.
    """
    try:
        sys.exit(main(args))
    except UserError as error:
        instead = post_failure(error)
        if instead is not None:
            _print_line(instead)
        elif getattr(args, 'debug', False):
            traceback.print_exc()
        else:
            print(f'Error{name_process()}: {plain_message(error)}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)  # as shells do
    except Exception as error:
        instead = post_failure(error)
        if instead is not None:
            _print_line(instead)
            sys.exit(1)
        traceback.print_exc()
        print(
            f'\nThis looks like a bug in hplreid{name_process()}. Please report it '
            'with the command, all lines above, and the start of the log file, which '
            'has the environment.',
            file=sys.stderr,
        )
        sys.exit(1)


def _print_line(line: str) -> None:
    if line:
        print(line, file=sys.stderr, flush=True)
