"""What a run prints; its log file has that and much more."""

import logging
import time
from pathlib import Path

from mmengine.logging import MMLogger

_PACKAGE = Path(__file__).resolve().parents[1]
# MMEngine's CheckpointHook uses what MMEngine deprecates; no user can change that
_NOT_FOR_USERS = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')


class ConsoleFilter(logging.Filter):
    """Passes each line of hplreid once, and the warnings of others.

    MMEngine's lines (environment, config, hooks, scalars every few steps) are in the
    log file of the run. A record with ``file_only`` is there alone, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to print a record."""
        message = record.getMessage()
        if not Path(record.pathname).is_relative_to(_PACKAGE):
            return record.levelno >= logging.WARNING and not message.startswith(
                _NOT_FOR_USERS
            )
        if getattr(record, 'file_only', False):
            return False
        # Datasets are built for the check of a config, then again for the run
        repeated = message in self._shown
        self._shown.add(message)
        return not repeated


class ConsoleFormatter(logging.Formatter):
    """The time and the message; a warning is named so."""

    def format(self, record: logging.LogRecord) -> str:
        """Lay out a record."""
        level = f'{record.levelname.lower()}: ' if record.levelno > logging.INFO else ''
        return f'{self.formatTime(record, "%H:%M:%S")} {level}{record.getMessage()}'


def open_console() -> MMLogger:
    """Return a new current logger, for the lines before there is a log file."""
    return tidy_console(MMLogger.get_instance(f'hplreid_{time.time_ns()}'))


def tidy_console(logger: MMLogger, earlier: MMLogger | None = None) -> MMLogger:
    """Make a logger print what a user wants to read, and no more.

    Args:
        logger: The logger.
        earlier: A logger whose lines were printed already and aren't to be repeated.

    Returns:
        The logger.
    """
    known = [f for h in getattr(earlier, 'handlers', []) for f in h.filters]
    found = next((f for f in known if isinstance(f, ConsoleFilter)), ConsoleFilter())
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.addFilter(found)
            handler.setFormatter(ConsoleFormatter())
    return logger
