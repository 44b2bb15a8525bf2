"""Lines for the console and the log file of a run."""

import logging

from mmengine.logging import MMLogger


def log(message: str, level: int = logging.INFO) -> None:
    """Log a message by MMEngine's current logger, as a line of the caller.

    MMEngine's ``print_log`` signs all lines as its own, so that the console couldn't
    tell them apart.

    Args:
        message: One line, or several.
        level: ``logging.INFO`` or above.
    """
    MMLogger.get_current_instance().log(level, message, stacklevel=2)
