"""Give the scores of a test to the visualization backends."""

from mmengine.hooks import LoggerHook
from mmengine.runner import Runner

from hplreid.registry import HOOKS


def count_steps(runner: Runner) -> int:
    """Return the steps after which a run is tested; 0 if it hasn't trained.

    Not ``runner.iter``: reading it would build the training loop and its datasets.
    """
    return getattr(runner._train_loop, 'iter', 0)


@HOOKS.register_module()
class ScoreLogHook(LoggerHook):
    """MMEngine's ``LoggerHook``, which also gives the scores of a test to backends.

    MMEngine gives them those of training and validation alone. They are named
    ``test/<benchmark>/<metric>``, at the step of training after which they are those
    of the weights: a validation has the same names without ``test/``, at its epoch.

    Args:
        **kwargs: See ``mmengine.hooks.LoggerHook``.
    """

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Log the scores, as MMEngine does, and give them to the backends."""
        super().after_test_epoch(runner, metrics)
        scores = {f'test/{name}': value for name, value in (metrics or {}).items()}
        runner.visualizer.add_scalars(scores, step=count_steps(runner))
