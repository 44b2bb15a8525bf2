"""Training in stages: one config, one command, one run of epochs."""

import gc
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.optim import build_optim_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from hplreid.registry import LOOPS

from ..hooks.resume_hook import ResumeHook
from ..random_state import preserved_rng
from .init_features import initialize
from .stage import (
    Stage,
    build_schedulers,
    find_stage_problems,
    parse_stages,
    set_train_mode,
    set_trainable,
)
from .stage_dataloader import build_loaders, fill_cache, go_to, stop_workers


@LOOPS.register_module()
class StagedTrainLoop(BaseLoop):
    """Epochs in stages, each with its own parameters, optimizer, schedule and data.

    Entering a stage freezes all that it doesn't train, builds its optimizer over what
    it does, and tells the model (``model.enter_stage(name)``). Hooks are called as by
    MMEngine's ``EpochBasedTrainLoop``; epochs and iterations count on from stage to
    stage. A method without stages has one.

    A run that was stopped goes on exactly as if it had not been, from an epoch's
    checkpoint or one within an epoch: :class:`ResumeHook`, which this loop brings,
    keeps what is needed in the checkpoint.

    Args:
        runner: The runner. Its ``optim_wrapper`` is the config that stages share.
        dataloader: Config of the loader that stages share. ``batch_size`` is that of
            all processes together.
        stages: One dict a stage, by its name: ``epochs``, ``trainable`` (prefixes
            of parameter names), and over what is shared ``optim_wrapper``,
            ``param_scheduler`` (in epochs of the stage) and ``train_dataloader``;
            ``cache_features`` and ``init_features`` (see :class:`Stage`).
        val_begin: First epoch after which to validate.
        val_interval: Epochs between validations; the last epoch always has one.

    Raises:
        ValueError: The stages make no sense, see :func:`parse_stages`; or the config
            asks for what the stages decide.
    """

    dataloader: DataLoader

    def __init__(
        self,
        runner: Runner,
        dataloader: dict,
        stages: Mapping[str, dict],
        val_begin: int = 1,
        val_interval: int = 1,
    ) -> None:
        _refuse_top_level(runner)
        self.stages = parse_stages(stages, runner.optim_wrapper, dataloader)
        self._loaders = build_loaders(runner, self.stages)
        super().__init__(runner, self._loaders[0])
        self.val_begin = val_begin
        self.val_interval = val_interval
        self.stop_training = False  # EarlyStoppingHook sets it
        self._epoch = 0
        self._iter = 0
        self._steps = [len(loader) for loader in self._loaders]
        # Where stages begin: [0, end of the first, ..., end of all]
        self._epochs_at = list(accumulate((s.epochs for s in self.stages), initial=0))
        lengths = (s.epochs * n for s, n in zip(self.stages, self._steps, strict=True))
        self._iters_at = list(accumulate(lengths, initial=0))
        runner.register_hook(ResumeHook(self))
        self.install(0)

    @classmethod
    def find_problems(cls, stages: Mapping[str, dict], **_: object) -> list[str]:
        """Say what is wrong with the stages; for the check before anything is built."""
        try:
            return [p for n, s in stages.items() for p in find_stage_problems(n, s)]
        except AttributeError:
            return [f'train_cfg.stages={stages!r}: expected a dict of stages by name']

    @property
    def max_epochs(self) -> int:
        """Epochs of all stages."""
        return self._epochs_at[-1]

    @property
    def max_iters(self) -> int:
        """Iterations of all stages."""
        return self._iters_at[-1]

    @property
    def epoch(self) -> int:
        """Epochs done, in all stages."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Iterations done, in all stages."""
        return self._iter

    @property
    def stage(self) -> Stage:
        """The stage that is installed."""
        return self.stages[self.stage_index]

    @property
    def model(self) -> Any:  # noqa: ANN401
        """The model itself, not its wrapper for several processes."""
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint should say about the stage, in plain values."""
        return dict(
            name=self.stage.name,
            index=self.stage_index,
            processes=self.runner.world_size,
            global_batch=self.stage.dataloader['batch_size'],
            steps_per_epoch=self._steps[self.stage_index],
        )

    def install(self, index: int) -> None:
        """Make parameters, optimizer, schedules and data those of a stage."""
        runner, stage = self.runner, self.stages[index]
        self.stage_index = index
        model = self.model
        trained = set_trainable(model, stage.trainable)
        if runner.distributed:
            # The old wrapper's hooks on the parameters must be gone before the new one
            # looks at which parameters want a gradient
            runner.model = model
            gc.collect()
            runner.model = runner.wrap_model(runner.cfg.get('model_wrapper_cfg'), model)
        stop_workers(self.dataloader)
        self.dataloader = self._loaders[index]
        stage.optim_wrapper.setdefault('constructor', 'TrainableOptimConstructor')
        runner.optim_wrapper = build_optim_wrapper(model, stage.optim_wrapper)
        runner.param_schedulers = build_schedulers(
            stage, runner.optim_wrapper, self._steps[index]
        )
        _forget_losses(runner)
        total = sum(p.numel() for p in model.parameters())
        runner.logger.info(
            f"Stage '{stage.name}' ({index + 1} of {len(self.stages)}): epochs "
            f'{self._epochs_at[index] + 1} to {self._epochs_at[index + 1]}, '
            f'{self._steps[index]} steps each with {stage.dataloader["batch_size"]} '
            f'items on {runner.world_size} process(es); {trained:,} of {total:,} '
            f'parameters trained: {", ".join(stage.trainable)}'
        )

    def run(self) -> nn.Module:
        """Train all stages, or what is left of them."""
        self._check_position()
        self._begin_stage()
        self.runner.call_hook('before_train')
        while self._epoch < self.max_epochs and not self.stop_training:
            if self._epoch == self._epochs_at[self.stage_index + 1]:
                self.install(self.stage_index + 1)
                self._begin_stage()
            self.run_epoch()
            self._validate()
        stop_workers(self.dataloader)  # a test that follows needs the memory
        self.runner.call_hook('after_train')
        return self.runner.model

    def _check_position(self) -> None:
        """Be sure that the epoch that a checkpoint names is one of this stage."""
        first, end = self._epochs_at[self.stage_index : self.stage_index + 2]
        done = self._iter - self._iters_before_epoch()
        if not first <= self._epoch <= end or not 0 <= done <= self._steps_left(end):
            raise RuntimeError(
                f'Epoch {self._epoch}, iteration {self._iter} is not in stage '
                f"'{self.stage.name}' (epochs {first} to {end}, "
                f'{self._steps[self.stage_index]} iterations each). Resume with '
                '`resume=True` in the config or --resume, with the data and the batch '
                'of the checkpoint.'
            )

    def _steps_left(self, end: int) -> int:
        return self._steps[self.stage_index] if self._epoch < end else 0

    def _begin_stage(self) -> None:
        """Tell model and optimizer, once the weights are what the stage begins with."""
        runner, index = self.runner, self.stage_index
        self.model.enter_stage(self.stage.name)
        if self.stage.init_features and self._iter == self._iters_at[index]:
            initialize(self.model, self.dataloader, self.stage, runner.work_dir)
        fill_cache(self.model, self.dataloader, self.stage)
        begin, end = self._iters_at[index : index + 2]
        runner.optim_wrapper.initialize_count_status(
            runner.model, self._iter - begin, end - begin
        )

    def _iters_before_epoch(self) -> int:
        index = self.stage_index
        epochs = self._epoch - self._epochs_at[index]
        return self._iters_at[index] + epochs * self._steps[index]

    def run_epoch(self) -> None:
        """Train one epoch, or what is left of it."""
        self.runner.call_hook('before_train_epoch')
        set_train_mode(self.runner.model)
        done = self._iter - self._iters_before_epoch()
        go_to(self.dataloader, self._epoch, done)
        for idx, batch in enumerate(self.dataloader, start=done):
            self.run_iter(idx, batch)
        done = self._iter - self._iters_before_epoch()
        if done != len(self.dataloader):
            raise RuntimeError(
                f'{type(self.dataloader.sampler).__name__} announced '
                f'{len(self.dataloader)} batches and gave {done}.'
            )
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, batch: Any) -> None:  # noqa: ANN401
        """Train one step."""
        runner = self.runner
        runner.call_hook('before_train_iter', batch_idx=idx, data_batch=batch)
        outputs = runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)
        runner.call_hook(
            'after_train_iter', batch_idx=idx, data_batch=batch, outputs=outputs
        )
        self._iter += 1

    def _validate(self) -> None:
        if self.runner.val_loop is None or self._epoch < self.val_begin:
            return
        if self._epoch % self.val_interval == 0 or self._epoch == self.max_epochs:
            # A resumed run doesn't repeat a validation: it must leave no trace
            with preserved_rng():
                self.runner.val_loop.run()


def _refuse_top_level(runner: Runner) -> None:
    if runner.param_schedulers:
        raise ValueError(
            'param_scheduler stands at the top of the config; every stage of '
            'train_cfg.stages has its own.'
        )
    if (runner.auto_scale_lr or {}).get('enable', False):
        raise ValueError(
            'auto_scale_lr: the batch of a config is that of all processes together, '
            'so their number changes nothing that could be scaled. Remove it.'
        )


def _forget_losses(runner: Runner) -> None:
    """Drop the last stage's losses, which would be printed for ever."""
    hub = runner.message_hub
    for key in [k for k in hub.log_scalars if k.startswith('train/')]:
        if 'loss' in key or key.endswith('lr'):
            hub.log_scalars.pop(key)
            hub._resumed_keys.pop(key, None)
