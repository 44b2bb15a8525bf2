"""MMEngine's runner with a short console."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from .console import tidy_console


@RUNNERS.register_module()
class ReIDRunner(Runner):
    """MMEngine's ``Runner``; its log file has more than it prints.

    See :class:`.console.ConsoleFilter` for what is printed.
    """

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:  # noqa: ANN401
        """Build the logger, see MMEngine's ``Runner``."""
        current = MMLogger.get_current_instance()
        # Another run of this process has a log file: its lines are not of this one
        earlier = current if current.log_file is None else None
        return tidy_console(super().build_logger(*args, **kwargs), earlier)
