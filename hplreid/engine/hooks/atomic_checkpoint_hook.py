"""Checkpoints that are whole or not there."""

import os
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from hplreid.registry import HOOKS

from ..rng_state import gather_rng


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

    Args:
        **kwargs: See ``CheckpointHook``. ``backend_args`` for another storage must see
            to its own atomicity.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        kwargs.setdefault('backend_args', dict(backend='atomic_local'))
        super().__init__(**kwargs)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
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
