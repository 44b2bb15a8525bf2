"""Stop a training after a step, with a checkpoint, when it is asked to."""

from typing import Any

from mmengine.dist import barrier
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..interruption.signals import RunInterrupted, StopVote
from .atomic_checkpoint_hook import AtomicCheckpointHook


class InterruptHook(Hook):
    """Saves a checkpoint and stops all processes after the step of a signal.

    The training loop registers it. See :func:`.stop_on_signals` for the signals.
    """

    priority = 'LOWEST'  # after all other hooks have ended the step

    def __init__(self) -> None:
        self._vote = StopVote()
        self._first_iter = 0

    def before_train(self, runner: Runner) -> None:
        """Remember where the run begins: nothing would be lost there."""
        self._first_iter = runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401
        outputs: dict | None = None,
    ) -> None:
        """Stop if a process was asked to.

        Raises:
            RunInterrupted: After the checkpoint is saved.
        """
        name = self._vote.stop()
        if name is None:
            return
        done = runner.iter + 1
        runner.logger.info(
            f'{name}: stopped after step {done} of {runner.max_iters}. '
            + self.save(runner, done)
        )
        # A process that ends earlier would have the launcher end the one that saves
        barrier()
        raise RunInterrupted(name)

    def save(self, runner: Runner, steps: int) -> str:
        """Save a checkpoint of some finished steps. Every process must call it.

        Returns:
            What was saved, in a sentence.
        """
        hook = _find_checkpoint_hook(runner)
        if hook is None:
            return 'Nothing was saved: this needs AtomicCheckpointHook.'
        return f'Saved {hook.save_interrupted(runner, steps)}.'

    def loses_nothing(self, runner: Runner) -> bool:
        """Return whether all finished steps are in a checkpoint, or there are none."""
        hook = _find_checkpoint_hook(runner)
        saved = None if hook is None else hook.saved_iter
        return runner.iter in (self._first_iter, saved)


def _find_checkpoint_hook(runner: Runner) -> AtomicCheckpointHook | None:
    hooks = (h for h in runner.hooks if isinstance(h, AtomicCheckpointHook))
    return next(hooks, None)
