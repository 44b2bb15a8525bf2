"""MMEngine's runner with a short console."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from .console import tidy_console
from .interruption.resume_point import find_resume_point
from .interruption.worker_signals import shield_workers


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

    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> DataLoader:  # noqa: ANN401
        """Build a dataloader, see MMEngine's ``Runner``; its workers outlive signals.

        See :class:`.ShieldedInit`.
        """
        return shield_workers(Runner.build_dataloader(*args, **kwargs))

    def load_or_resume(self) -> None:
        """Load or resume a checkpoint, see MMEngine's ``Runner``; say which.

        The last checkpoint is the last one that is whole, see
        :func:`.find_resume_point`.
        """
        before = self._has_loaded
        if self._resume and self._load_from is None and not before:
            self._load_from = find_resume_point(self.work_dir)
            self._resume = self._load_from is not None
            if not self._resume:
                self.logger.info(
                    f'No checkpoint to resume in {self.work_dir}: training starts anew'
                )
        super().load_or_resume()
        if before:
            return
        if not self._resume:
            if self._load_from is not None:
                self.logger.info(f'Loaded the weights of {self._load_from}')
        elif self._has_loaded:
            self.logger.info(
                f'Resumed {self._load_from}: {self.epoch} epochs, {self.iter} steps '
                'are done'
            )
