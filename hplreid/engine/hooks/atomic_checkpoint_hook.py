"""Save checkpoints that are complete or absent, whenever the process dies."""

import os
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from hplreid.registry import HOOKS
from hplreid.utils.atomic_files import atomic_path

from ..checkpoint_selection import SELECTION, selection_split
from ..random_state import gather_rng


class AtomicLocalBackend(LocalBackend):
    """Local files that replace older ones only once they are complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write to a temporary file in the same folder, then rename it."""
        with atomic_path(filepath) as temporary, open(temporary, 'wb') as file:
            file.write(obj)
            file.flush()
            # After a power failure, a file renamed before it is on disk may be empty
            os.fsync(file.fileno())


register_backend('atomic_local', AtomicLocalBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, safe against being killed at any moment.

    A file is written under a temporary name and renamed, and the oldest checkpoint is
    removed only after the new one is complete. Checkpoints have the random states of
    all processes, which :class:`ResumeHook` restores.

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
        self._best_metrics: dict[str, float] | None = None

    def before_train(self, runner: Runner) -> None:
        """Check that the split of the selection is allowed.

        Raises:
            ValueError: It is a test split, and ``select_on_test`` is False.
        """
        super().before_train(runner)
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
        self._best_metrics = metrics
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self._best_metrics = None

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._best_metrics = None  # the epoch's own checkpoint, which is written again
        # Every process is here; in before_save_checkpoint only the first one is
        meta['rng_states'] = gather_rng()
        oldest = self._oldest_beyond_limit(step)
        super()._save_checkpoint_with_step(runner, step, meta)
        if oldest is not None and is_main_process():
            path = Path(self.out_dir) / self.filename_tmpl.format(oldest)
            path.unlink(missing_ok=True)

    def _oldest_beyond_limit(self, step: int) -> int | None:
        """Remove the oldest step from the list of kept ones, if it is full.

        Returns:
            That step, None if there is room.
        """
        kept = getattr(self, 'keep_ckpt_ids', ())
        if not kept or len(kept) < self.max_keep_ckpts or kept[-1] == step:
            return None
        return kept.popleft()
