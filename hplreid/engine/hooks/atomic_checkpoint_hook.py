"""Save checkpoints that are complete or absent, whenever the process dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from hplreid.registry import HOOKS
from hplreid.utils.atomic_files import (
    WriteError,
    atomic_path,
    remove_leftovers,
    show_size,
)

from ..checkpoint_selection import SELECTION, selection_split
from ..interruption.resume_point import INTERRUPTED, LAST
from ..random_state import gather_rng


class AtomicLocalBackend(LocalBackend):
    """Local files that replace older ones only once they are complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write to a temporary file in the same folder, then rename it.

        Raises:
            WriteError: It can't be written; the message has its size.
        """
        try:
            with atomic_path(filepath) as temporary, open(temporary, 'wb') as file:
                file.write(obj)
                file.flush()
                # After a power failure, a file renamed before it is on disk may be
                # empty
                os.fsync(file.fileno())
        except WriteError as error:
            raise WriteError(f'{error} The file has {show_size(len(obj))}.') from error


register_backend('atomic_local', AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against being killed at any moment.

    A file is written under a temporary name and renamed, and the oldest checkpoint or
    the former best one is removed only after the new one is complete. Checkpoints have
    the random states of all processes, which :class:`ResumeHook` restores.

    :class:`InterruptHook` has it save a run that is asked to stop; that checkpoint is
    removed after the next regular one.

    With ``save_best`` the checkpoint of the best epoch has a record in
    ``meta['selection']``: by which score it was selected and on which split. Tables of
    scores repeat it.

    Args:
        select_on_test: Whether the best epoch may be selected by its scores on a test
            split, which then overestimate the scores on unseen identities.
        **kwargs: See ``CheckpointHook``. ``backend_args`` of another storage must name
            a backend that is atomic itself.

    Raises:
        ValueError: ``save_best`` names several scores.
    """

    best_ckpt_path: str | None

    def __init__(
        self,
        select_on_test: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(**kwargs)
        if len(getattr(self, 'key_indicators', ())) > 1:
            raise ValueError(
                f'save_best={self.save_best!r}: expected the name of one score.'
            )
        self.select_on_test = select_on_test
        self.saved_iter: int | None = None  # finished steps in the last checkpoint
        self._best_metrics: dict[str, float] | None = None
        self._rng_states: list[dict] | None = None

    def before_train(self, runner: Runner) -> None:
        """Check that the split of the selection is allowed.

        Raises:
            ValueError: It is a test split, and ``select_on_test`` is False.
        """
        super().before_train(runner)
        if self.out_dir != runner.work_dir and is_main_process():
            remove_leftovers(self.out_dir)  # the work folder's are removed already
        if not self.save_best:
            return
        split, score = selection_split(runner), self.key_indicators[0]
        if split == 'validation':
            runner.logger.info(f'The best epoch is selected on validation, by {score}.')
        elif self.select_on_test:
            runner.logger.warning(
                f'The best epoch is selected on {split}, by {score}: its scores there '
                'are too high to be compared with those of a last epoch. Tables and '
                'the checkpoint say so.'
            )
        else:
            raise ValueError(
                f'save_best={self.save_best!r} selects the epoch on {split}. Validate '
                "on a split 'val', or on identities held out of training (HoldOut); or "
                'set default_hooks.checkpoint.select_on_test=True, which tables and '
                'checkpoints will say.'
            )

    def before_val(self, runner: Runner) -> None:
        """Keep the random states: a checkpoint of a best epoch is written afterwards.

        The training goes on with those from before the validation.
        """
        self._rng_states = gather_rng()

    def after_val(self, runner: Runner) -> None:
        """Forget them."""
        self._rng_states = None

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add the selection record to the checkpoint of the best epoch."""
        if self._best_metrics is None:
            return
        score = self.key_indicators[0]
        record = dict(
            score=score,
            value=self._best_metrics[score],
            on=selection_split(runner),
            epoch=runner.epoch,
        )
        # Not in place: the epoch's own checkpoint is written again with the same dict
        checkpoint['meta'] = {**checkpoint['meta'], SELECTION: record}

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        if not self.save_best:
            return
        # MMEngine would remove the former best checkpoint before it writes the new one
        former, self.best_ckpt_path = self.best_ckpt_path, None
        self._best_metrics = metrics
        try:
            with self._explained(runner):
                super()._save_best_checkpoint(runner, metrics)
        finally:
            self._best_metrics = None
            self.best_ckpt_path = self.best_ckpt_path or former
        if former and self.best_ckpt_path != former and is_main_process():
            Path(former).unlink(missing_ok=True)
            runner.logger.info(f'The previous best checkpoint {former} is removed')

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._best_metrics = None  # the epoch's own checkpoint, which is written again
        oldest = self._oldest_beyond_limit(step)
        if self.max_keep_ckpts > 0:
            if step not in self.keep_ckpt_ids:
                self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        self._write(
            runner,
            self.filename_tmpl.format(step),
            meta,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            **self.args,
        )
        if not is_main_process():
            return
        folder = Path(self.out_dir)
        if oldest is not None:
            (folder / self.filename_tmpl.format(oldest)).unlink(missing_ok=True)
        for path in folder.glob(INTERRUPTED.format('*')):
            path.unlink(missing_ok=True)

    def save_interrupted(self, runner: Runner, steps: int) -> str:
        """Save a run within an epoch. Every process must call it.

        Args:
            runner: The runner.
            steps: Number of finished steps.

        Returns:
            The file, which may be one that was saved after this step anyway.
        """
        if self.saved_iter != steps or self.last_ckpt is None:
            meta = dict(epoch=runner.epoch, iter=steps)
            self._write(runner, INTERRUPTED.format(steps), meta)
        return str(self.last_ckpt)

    def _write(
        self,
        runner: Runner,
        name: str,
        meta: dict[str, Any],
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Write a checkpoint and name it as the last one."""
        # Every process is here; in before_save_checkpoint only the first one is
        meta['rng_states'] = self._rng_states or gather_rng()
        path = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', path)
        with self._explained(runner):
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                meta=meta,
                backend_args=self.backend_args,
                **options,
            )
            if is_main_process():
                with atomic_path(Path(runner.work_dir) / LAST) as temporary:
                    temporary.write_text(path, encoding='utf-8')
        self.last_ckpt, self.saved_iter = path, meta['iter']

    @contextmanager
    def _explained(self, runner: Runner) -> Iterator[None]:
        """Say what is left after a checkpoint couldn't be written."""
        try:
            yield
        except WriteError as error:
            last = Path(runner.work_dir) / LAST
            left = (
                f'The last checkpoint is whole, {last.read_text("utf-8")}: mend this, '
                'then go on with --resume.'
                if last.is_file()
                else 'No checkpoint was saved before.'
            )
            raise WriteError(
                f'{error} {left} While one is written, there are max_keep_ckpts + 1 of '
                'them; default_hooks.checkpoint.out_dir can be on another disk.'
            ) from error

    def _oldest_beyond_limit(self, step: int) -> int | None:
        """Remove the oldest step from the list of kept ones, if it is full.

        Returns:
            That step, None if there is room.
        """
        kept = getattr(self, 'keep_ckpt_ids', ())
        if not kept or len(kept) < self.max_keep_ckpts or kept[-1] == step:
            return None
        return kept.popleft()
