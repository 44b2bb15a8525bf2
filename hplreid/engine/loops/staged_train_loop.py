"""Train in stages: one config and one run for all of them."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import accumulate
from typing import Any

from mmengine.optim import build_optim_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from hplreid.registry import LOOPS
from hplreid.utils.user_error import UserError, plain_message

from ..data_parallel import unwrap
from ..hooks.interrupt_hook import InterruptHook
from ..hooks.resume_hook import ResumeHook
from ..interruption.signals import at_once, deferred
from ..optimizers.trainable_optim_constructor import check_custom_keys
from ..random_state import preserved_rng
from ..sharding import ReIDFullySharded
from ..tf32 import describe_tf32, tf32
from .cached_step import find_sub_batch_problem, train_step_in_sub_batches
from .init_features import provide_init_features
from .out_of_memory import explain_out_of_memory
from .stage import (
    Stage,
    build_schedulers,
    find_stage_problems,
    parse_stages,
    set_train_mode,
    set_trainable,
)
from .stage_dataloader import (
    build_stage_dataloaders,
    fill_feature_cache,
    set_loader_position,
    shares_are_equal,
    stop_workers,
)

OURS = 'TrainableOptimConstructor'


@LOOPS.register_module()
class StagedTrainLoop(BaseLoop):
    """Trains in stages, each with its own parameters, optimizer, schedule and data.

    Entering a stage freezes all parameters that it doesn't train, builds an optimizer
    over those that it trains, and calls ``model.enter_stage(name)``. Hooks are called
    as by MMEngine's ``EpochBasedTrainLoop``; epochs and iterations are counted over all
    stages. A method without stages has one.

    A resumed run has exactly the weights of an uninterrupted one, from the checkpoint
    of an epoch or from one within an epoch. :class:`ResumeHook`, which this loop
    registers, saves the state that it needs. :class:`InterruptHook`, which it registers
    as well, stops and saves a run within an epoch; a validation that was interrupted is
    made again when the run goes on.

    Args:
        runner: The runner. Its ``optim_wrapper`` is the config that stages share.
        dataloader: Config of the dataloader that stages share. ``batch_size`` is that
            of all processes together.
        stages: The config of each stage by its name: ``epochs``; ``trainable``
            (prefixes of parameter names); ``optim_wrapper`` and ``train_dataloader``,
            merged over the shared ones; ``param_scheduler``, in epochs of the stage;
            ``cache_features``, ``init_features`` and ``micro_batch_size`` (see
            :class:`Stage`).
        val_begin: First epoch after which to validate.
        val_interval: Epochs between validations. The last epoch is always validated.
        tf32: Whether training steps may round products in fp32 to TF32 on GPUs that
            have it. Defaults to False.

    Raises:
        ValueError: A stage has a problem, see :func:`parse_stages`; or the config has
            a top-level key that stages must have themselves; or a model can't be
            trained with a stage's ``micro_batch_size``.
        TrainingMemoryError: A step doesn't fit into the memory of the GPU.
    """

    dataloader: DataLoader

    def __init__(
        self,
        runner: Runner,
        dataloader: dict,
        stages: Mapping[str, dict],
        val_begin: int = 1,
        val_interval: int = 1,
        tf32: bool = False,
    ) -> None:
        _check_top_level_keys(runner)
        self.stages = parse_stages(stages, runner.optim_wrapper, dataloader)
        _check_sub_batches(runner, self.stages)
        _check_trainable(runner, self.stages)
        self._loaders = build_stage_dataloaders(runner, self.stages)
        super().__init__(runner, self._loaders[0])
        self.val_begin = val_begin
        self.val_interval = val_interval
        self.tf32 = tf32
        self.stop_training = False  # EarlyStoppingHook sets it
        self._epoch = 0
        self._iter = 0
        self.validated = 0  # epochs at the last validation
        self._steps = [len(loader) for loader in self._loaders]
        # Bounds of stages: [0, end of the first, ..., end of the last]
        self._epochs_at = list(accumulate((s.epochs for s in self.stages), initial=0))
        lengths = (s.epochs * n for s, n in zip(self.stages, self._steps, strict=True))
        self._iters_at = list(accumulate(lengths, initial=0))
        self._interrupt = InterruptHook()
        runner.register_hook(ResumeHook(self))
        runner.register_hook(self._interrupt)
        self.enter_stage(0)

    @classmethod
    def find_problems(cls, stages: Mapping[str, dict], **_: object) -> list[str]:
        """Return the problems of a config's stages, before anything is built."""
        try:
            return [p for n, s in stages.items() for p in find_stage_problems(n, s)]
        except AttributeError:
            return [f'train_cfg.stages={stages!r}: expected a dict of stages by name']

    @property
    def max_epochs(self) -> int:
        """Number of epochs of all stages."""
        return self._epochs_at[-1]

    @property
    def max_iters(self) -> int:
        """Number of iterations of all stages."""
        return self._iters_at[-1]

    @property
    def epoch(self) -> int:
        """Number of finished epochs, over all stages."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Number of finished iterations, over all stages."""
        return self._iter

    @property
    def stage(self) -> Stage:
        """The current stage."""
        return self.stages[self.stage_index]

    @property
    def model(self) -> Any:  # noqa: ANN401
        """The model, without its wrapper for several processes."""
        return unwrap(self.runner.model)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint stores about the stage, in plain values."""
        return dict(
            name=self.stage.name,
            index=self.stage_index,
            processes=self.runner.world_size,
            global_batch=self.stage.dataloader['batch_size'],
            steps_per_epoch=self._steps[self.stage_index],
            validated=self.validated,
        )

    def enter_stage(self, index: int) -> None:
        """Set up parameters, optimizer, schedules and dataloader of a stage."""
        runner, stage = self.runner, self.stages[index]
        self.stage_index = index
        model = self.model
        num_trainable = set_trainable(model, stage.trainable)
        if runner.distributed:
            # The old wrapper's hooks on the parameters must be removed before the new
            # one registers its own
            runner.model = model
            gc.collect()
            runner.model = runner.wrap_model(runner.cfg.get('model_wrapper_cfg'), model)
        stop_workers(self.dataloader)
        self.dataloader = self._loaders[index]
        model.equal_shares = shares_are_equal(self.dataloader)
        stage.optim_wrapper.setdefault('constructor', OURS)
        runner.optim_wrapper = build_optim_wrapper(model, stage.optim_wrapper)
        runner.param_schedulers = build_schedulers(
            stage, runner.optim_wrapper, self._steps[index]
        )
        _forget_losses(runner)
        precision = getattr(runner.optim_wrapper, 'precision', None)
        in_precision = '' if precision is None else f', {precision}'
        if precision is not None and precision.warning:
            runner.logger.warning(precision.warning)
        total = sum(p.numel() for p in model.parameters())
        size = stage.micro_batch_size
        at_once = '' if size is None else f', {size} at a time'
        runner.logger.info(
            f"Stage '{stage.name}' ({index + 1} of {len(self.stages)}): epochs "
            f'{self._epochs_at[index] + 1} to {self._epochs_at[index + 1]}, '
            f'{self._steps[index]} steps each with {stage.dataloader["batch_size"]} '
            f'items on {runner.world_size} process(es){at_once}{in_precision}; '
            f'{num_trainable:,} of {total:,} parameters are trained: '
            f'{", ".join(stage.trainable)}'
        )

    def run(self) -> nn.Module:
        """Train all stages, or the rest of them after a resume."""
        self._check_position()
        self._begin_stage()
        self.runner.call_hook('before_train')
        if next(self.model.parameters()).is_cuda:
            self.runner.logger.info(describe_tf32(self.tf32))
        with deferred():
            if (
                self.validated < self._epoch
                and self._iter == self._iters_before_epoch()
            ):
                self._validate()
            while self._epoch < self.max_epochs and not self.stop_training:
                if self._epoch == self._epochs_at[self.stage_index + 1]:
                    with self._stop_if_saved():
                        self.enter_stage(self.stage_index + 1)
                        self._begin_stage()
                with tf32(self.tf32):
                    self.run_epoch()
                self._validate()
        stop_workers(self.dataloader)  # frees memory for a test that follows
        self.runner.call_hook('after_train')
        return self.runner.model

    def _stop_if_saved(self) -> AbstractContextManager[None]:
        """Return a context in which signals stop the run at once, if none is lost."""
        lost = not self._interrupt.loses_nothing(self.runner)
        return nullcontext() if lost else at_once()

    def _check_position(self) -> None:
        """Check that the epoch of a resumed checkpoint is one of this stage."""
        first, end = self._epochs_at[self.stage_index : self.stage_index + 2]
        done = self._iter - self._iters_before_epoch()
        most = self._max_steps_in_epoch(end)
        if not first <= self._epoch <= end or not 0 <= done <= most:
            raise RuntimeError(
                f'Epoch {self._epoch}, iteration {self._iter} is not in stage '
                f"'{self.stage.name}' (epochs {first} to {end}, "
                f'{self._steps[self.stage_index]} iterations each). Resume with '
                '`resume=True` in the config or --resume, with the data and the batch '
                'of the checkpoint.'
            )

    def _max_steps_in_epoch(self, end: int) -> int:
        """Return how many steps of this epoch a checkpoint may have; 0 at the end."""
        return self._steps[self.stage_index] if self._epoch < end else 0

    def _begin_stage(self) -> None:
        """Begin the current stage, after the weights have been loaded."""
        runner, index = self.runner, self.stage_index
        if isinstance(runner.model, ReIDFullySharded):
            runner.model.shard(runner.optim_wrapper.optimizer)
        self.model.enter_stage(self.stage.name)
        if self.stage.init_features and self._iter == self._iters_at[index]:
            provide_init_features(
                self.model, self.dataloader, self.stage, runner.work_dir
            )
        fill_feature_cache(self.model, self.dataloader, self.stage)
        begin, end = self._iters_at[index : index + 2]
        runner.optim_wrapper.initialize_count_status(
            runner.model, self._iter - begin, end - begin
        )

    def _iters_before_epoch(self) -> int:
        """Return the number of iterations before the current epoch."""
        index = self.stage_index
        epochs = self._epoch - self._epochs_at[index]
        return self._iters_at[index] + epochs * self._steps[index]

    def run_epoch(self) -> None:
        """Train one epoch, or the rest of it after a resume."""
        self.runner.call_hook('before_train_epoch')
        set_train_mode(self.runner.model)
        done = self._iter - self._iters_before_epoch()
        set_loader_position(self.dataloader, self._epoch, done)
        for idx, batch in self._batches(done):
            self.run_iter(idx, batch)
        done = self._iter - self._iters_before_epoch()
        if done != len(self.dataloader):
            raise RuntimeError(
                f'{type(self.dataloader.sampler).__name__} has a length of '
                f'{len(self.dataloader)} batches and yielded {done}.'
            )
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _batches(self, done: int) -> Iterator[tuple[int, Any]]:
        """Yield the batches of an epoch after the first ``done``, by their positions.

        Raises:
            UserError: Data can't be read, such as an image; the steps before are saved.
        """
        try:
            yield from enumerate(self.dataloader, start=done)
        except UserError as error:
            # With several processes the others are within a step already
            saved = (
                self._interrupt.save(self.runner, self._iter)
                if self.runner.world_size == 1
                and not self._interrupt.loses_nothing(self.runner)
                else 'The last checkpoint is from before this step.'
            )
            raise type(error)(
                f'{plain_message(error)} {self._iter} of {self.max_iters} steps are '
                f'done. {saved} Go on with --resume.'
            ) from error

    def run_iter(self, idx: int, batch: Any) -> None:  # noqa: ANN401
        """Train one step."""
        runner = self.runner
        runner.call_hook('before_train_iter', batch_idx=idx, data_batch=batch)
        with explain_out_of_memory(batch, self.stage, runner.optim_wrapper):
            outputs = self._train_step(batch)
        runner.call_hook(
            'after_train_iter', batch_idx=idx, data_batch=batch, outputs=outputs
        )
        self._iter += 1

    def _train_step(self, batch: Any) -> dict[str, Tensor]:  # noqa: ANN401
        runner, size = self.runner, self.stage.micro_batch_size
        if size is not None and len(batch['data_samples']) > size:
            return train_step_in_sub_batches(
                self.model, batch, runner.optim_wrapper, size
            )
        return runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)

    def _validate(self) -> None:
        if self.runner.val_loop is None or self._epoch < self.val_begin:
            return
        if self._epoch % self.val_interval == 0 or self._epoch == self.max_epochs:
            # Random numbers must not depend on it: a resumed run may repeat it
            with preserved_rng(), self._stop_if_saved():
                self.runner.val_loop.run()
            self.validated = self._epoch


def _check_sub_batches(runner: Runner, stages: list[Stage]) -> None:
    model = unwrap(runner.model)
    for stage in stages:
        if stage.micro_batch_size is None:
            continue
        problem = find_sub_batch_problem(model, stage.trainable)
        if problem is not None:
            raise ValueError(
                f"Stage '{stage.name}' has micro_batch_size={stage.micro_batch_size}, "
                f'but {problem}.'
            )


def _check_trainable(runner: Runner, stages: list[Stage]) -> None:
    """Check what each stage trains: a slip in the last one is found at once."""
    model = unwrap(runner.model)
    for stage in stages:
        set_trainable(model, stage.trainable)
        if stage.optim_wrapper.get('constructor', OURS) == OURS:
            check_custom_keys(model, stage.optim_wrapper.get('paramwise_cfg') or {})


def _check_top_level_keys(runner: Runner) -> None:
    if runner.param_schedulers:
        raise ValueError(
            'param_scheduler is set at the top of the config; expected one in every '
            'stage of train_cfg.stages instead.'
        )
    if (runner.auto_scale_lr or {}).get('enable', False):
        raise ValueError(
            'auto_scale_lr: the batch size of a config is that of all processes '
            'together, whatever their number, so that no learning rate needs scaling. '
            'Remove it.'
        )


def _forget_losses(runner: Runner) -> None:
    """Remove the losses of the previous stage, which would be logged for ever."""
    hub = runner.message_hub
    for key in [k for k in hub.log_scalars if k.startswith('train/')]:
        if 'loss' in key or key.endswith('lr'):
            hub.log_scalars.pop(key)
            hub._resumed_keys.pop(key, None)
