"""MMEngine's runner with a short console, and errors of a config in words."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import RUNNERS
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint

from .config.errors import building
from .console import tidy_console


@RUNNERS.register_module()
class ReIDRunner(Runner):
    """MMEngine's ``Runner``; its log file has more than it prints.

    See :class:`.console.ConsoleFilter` for what is printed. What is raised while
    something is built from the config becomes a ``ConfigError`` that names its place.
    """

    def build_model(self, model: Any) -> BaseModel:  # noqa: ANN401
        """Build the model, see MMEngine's ``Runner``."""
        with building('model'):
            return super().build_model(model)

    def build_train_loop(self, loop: Any) -> BaseLoop:  # noqa: ANN401
        """Build the training loop, see MMEngine's ``Runner``."""
        with building('train_cfg'):
            return super().build_train_loop(loop)

    def build_val_loop(self, loop: Any) -> BaseLoop:  # noqa: ANN401
        """Build the validation loop, see MMEngine's ``Runner``."""
        with building('val_cfg'):
            return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> BaseLoop:  # noqa: ANN401
        """Build the test loop, see MMEngine's ``Runner``."""
        with building('test_cfg'):
            return super().build_test_loop(loop)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:  # noqa: ANN401
        """Build the logger, see MMEngine's ``Runner``."""
        current = MMLogger.get_current_instance()
        # Another run of this process has a log file: its lines are not of this one
        earlier = current if current.log_file is None else None
        return tidy_console(super().build_logger(*args, **kwargs), earlier)

    def load_or_resume(self) -> None:
        """Load or resume a checkpoint, see MMEngine's ``Runner``; say which."""
        before = self._has_loaded
        super().load_or_resume()
        if before:
            return
        if not self._resume:
            if self._load_from is not None:
                self.logger.info(f'Loaded the weights of {self._load_from}')
        elif self._has_loaded:
            path = self._load_from or find_latest_checkpoint(self.work_dir)
            self.logger.info(
                f'Resumed {path}: {self.epoch} epochs, {self.iter} steps are done'
            )
        else:
            self.logger.info(
                f'No checkpoint to resume in {self.work_dir}: training starts anew'
            )
