"""Checkpoints that are whole or not there."""

import os
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from hplreid.registry import HOOKS

from ..checkpoint_selection import SELECTION, selects_on
from ..random_state import gather_rng


class AtomicLocalBackend(LocalBackend):
    """Local files that take the place of older ones only when they are complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write to a temporary name beside ``filepath``, then rename."""
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
        try:
            with open(temporary, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())  # renamed before it's on disk, it may be empty
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


register_backend('atomic_local', AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against being killed at any moment.

    A file is written under a temporary name and renamed; the oldest checkpoint is
    removed after the new one is there, not before. The random states of all processes
    go with it, so that :class:`ResumeHook` can restore them.

    With ``save_best`` the file of the best epoch says, in ``meta['selection']``, by
    which score it was chosen and on what; tables of scores repeat it.

    Args:
        select_on_test: Whether the best epoch may be chosen by its scores on a test
            split, which then are no scores of unseen people any more.
        **kwargs: See ``CheckpointHook``. ``backend_args`` for another storage must see
            to its own atomicity.

    Raises:
        ValueError: ``save_best`` names several scores.
    """

    def __init__(
        self,
        select_on_test: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(**kwargs)
        if len(getattr(self, 'key_indicators', ())) > 1:
            raise ValueError(
                f'save_best={self.save_best!r}: an epoch is chosen by one score.'
            )
        self.select_on_test = select_on_test
        self._best: dict[str, float] | None = None

    def before_train(self, runner: Runner) -> None:
        """See that the epoch is chosen on what it may be chosen on.

        Raises:
            ValueError: It's to be chosen on a test split, which nobody asked for.
        """
        super().before_train(runner)
        if not self.save_best:
            return
        split, score = selects_on(runner), self.key_indicators[0]
        if split == 'validation':
            runner.logger.info(f'The best epoch is chosen on validation, by {score}.')
        elif self.select_on_test:
            runner.logger.warning(
                f'The best epoch is chosen on {split}, by {score}: its scores there '
                'are those of a selection, higher than those of the last epoch. Tables '
                'and the checkpoint say so.'
            )
        else:
            raise ValueError(
                f'save_best={self.save_best!r} chooses the epoch on {split}. Validate '
                "on a split 'val', or on people held out of training (HoldOut); or set "
                'default_hooks.checkpoint.select_on_test=True, which is stamped into '
                'tables and checkpoints.'
            )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Stamp the checkpoint of the best epoch."""
        if self._best is None:
            return
        score = self.key_indicators[0]
        stamp = dict(
            score=score,
            value=self._best[score],
            on=selects_on(runner),
            epoch=runner.epoch,
        )
        # Not in place: the epoch's own checkpoint is written again with the same dict
        checkpoint['meta'] = {**checkpoint['meta'], SELECTION: stamp}

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        self._best = metrics
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self._best = None

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._best = None  # the epoch's own checkpoint, which is written again
        # Every process is here; in before_save_checkpoint only the first one is
        meta['rng_states'] = gather_rng()
        oldest = self._oldest_beyond_limit(step)
        super()._save_checkpoint_with_step(runner, step, meta)
        if oldest is not None and is_main_process():
            path = Path(self.out_dir) / self.filename_tmpl.format(oldest)
            path.unlink(missing_ok=True)

    def _oldest_beyond_limit(self, step: int) -> int | None:
        """Take the oldest step from the list of those kept, if there are too many."""
        kept = getattr(self, 'keep_ckpt_ids', ())
        if not kept or len(kept) < self.max_keep_ckpts or kept[-1] == step:
            return None
        return kept.popleft()
