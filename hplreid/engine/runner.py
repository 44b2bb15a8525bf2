"""MMEngine's runner: a short console, weights by our rules, errors in words."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import RUNNERS
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from hplreid.utils.checkpoints.checkpoint import read_checkpoint
from hplreid.utils.checkpoints.load_weights import (
    check_model,
    complete_weights,
    fit_for_training,
    load_exactly,
    load_inference_weights,
)

from .config.errors import building
from .console import tidy_console
from .data_parallel import unwrap
from .interruption.resume_point import find_resume_point
from .interruption.worker_signals import shield_workers
from .load_from import is_same_training_set, parse_load_from
from .sharding import shards_of


@RUNNERS.register_module()
class ReIDRunner(Runner):
    """MMEngine's ``Runner``; its log file has more than it prints.

    See :class:`.console.ConsoleFilter` for what is printed. Weights that don't fit are
    an error: MMEngine's own loading logs their names and goes on. What is raised while
    something is built from the config becomes a ``ConfigError`` that names its place.
    """

    _load_from: Any
    _resume: bool
    _has_loaded: bool

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

    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> DataLoader:  # noqa: ANN401
        """Build a dataloader, see MMEngine's ``Runner``; its workers outlive signals.

        See :class:`.ShieldedInit`.
        """
        return shield_workers(Runner.build_dataloader(*args, **kwargs))

    def save_checkpoint(
        self,
        *args: Any,  # noqa: ANN401
        save_optimizer: bool = True,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Save a checkpoint, see MMEngine's ``Runner``; every process calls it.

        The first one writes. Of weights in shards the others have their parts, which
        are collected in the same order.
        """
        super().save_checkpoint(*args, save_optimizer=save_optimizer, **kwargs)
        model = unwrap(self.model)
        if self.rank > 0 and shards_of(model) is not None:
            model.state_dict()
            if save_optimizer:
                self.optim_wrapper.state_dict()

    def load_or_resume(self) -> None:
        """Load or resume a checkpoint, see MMEngine's ``Runner``; say which.

        The last checkpoint is the last one that is whole, see
        :func:`.find_resume_point`.

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
        else:
            self._load_from = find_resume_point(self.work_dir)
            self._resume = self._load_from is not None
            if not self._resume:
                self.logger.info(
                    f'No checkpoint to resume in {self.work_dir}: training starts anew'
                )
                return
        super().load_or_resume()
        if self._has_loaded:
            self.logger.info(
                f'Resumed {self._load_from}: {self.epoch} epochs, {self.iter} steps '
                'are done'
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
