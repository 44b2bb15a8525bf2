"""MMEngine's runner with a short console, which loads weights by its own rules."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint

from hplreid.utils.checkpoints.checkpoint import read_checkpoint
from hplreid.utils.checkpoints.load_weights import (
    check_model,
    complete_weights,
    fit_for_training,
    load_exactly,
    load_inference_weights,
)

from .console import tidy_console
from .data_parallel import unwrap
from .load_from import is_same_training_set, parse_load_from


@RUNNERS.register_module()
class ReIDRunner(Runner):
    """MMEngine's ``Runner``; its log file has more than it prints.

    See :class:`.console.ConsoleFilter` for what is printed. Weights that don't fit are
    an error: MMEngine's own loading logs their names and goes on.
    """

    _load_from: Any
    _has_loaded: bool

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:  # noqa: ANN401
        """Build the logger, see MMEngine's ``Runner``."""
        current = MMLogger.get_current_instance()
        # Another run of this process has a log file: its lines are not of this one
        earlier = current if current.log_file is None else None
        return tidy_console(super().build_logger(*args, **kwargs), earlier)

    def load_or_resume(self) -> None:
        """Load or resume a checkpoint, see MMEngine's ``Runner``; say which.

        Raises:
            CheckpointError: It is damaged or doesn't fit, see
                :func:`.fit_for_training`.
        """
        if self._has_loaded:
            return
        if not self._resume:
            if self._load_from is not None:
                self._load_weights()
            return
        if self._load_from is not None:
            self._load_from = parse_load_from(self._load_from).checkpoint
        super().load_or_resume()
        if self._has_loaded:
            path = self._load_from or find_latest_checkpoint(self.work_dir)
            self.logger.info(
                f'Resumed {path}: {self.epoch} epochs, {self.iter} steps are done'
            )
        else:
            self.logger.info(
                f'No checkpoint to resume in {self.work_dir}: training starts anew'
            )

    def _load_weights(self) -> None:
        """Begin with the weights of ``load_from``."""
        choice = parse_load_from(self._load_from)
        self._load_from = path = choice.checkpoint
        model, config = unwrap(self.model), self.cfg.get('model')
        self._has_loaded = True
        if not isinstance(self._train_loop, BaseLoop):  # a test or a validation
            self.logger.info(load_inference_weights(model, path, config))
            return
        checkpoint = read_checkpoint(path)
        checkpoint['state_dict'], report = fit_for_training(
            model,
            checkpoint,
            path,
            config,
            is_same_training_set(
                checkpoint.get('meta') or {}, self.train_loop.dataloader.dataset
            ),
            choice.partial,
        )
        # Before the model has them: EMAHook takes its first average from what it is
        # given here
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_exactly(model, checkpoint['state_dict'])
        self.logger.info(report)

    def load_checkpoint(
        self,
        filename: str,
        map_location: Any = 'cpu',  # noqa: ANN401
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Load the checkpoint of a run that is resumed, whose weights fit exactly.

        Args:
            filename: The file.
            map_location: The device of the tensors.
            **_: MMEngine's options of looser loading, which isn't done here.

        Raises:
            CheckpointError: It is damaged or doesn't fit.
        """
        checkpoint = read_checkpoint(filename, map_location)
        check_model(checkpoint, self.cfg.get('model'), filename)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model = unwrap(self.model)
        load_exactly(model, complete_weights(model, checkpoint, filename))
        self._has_loaded = True
        return checkpoint
