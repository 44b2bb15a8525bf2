"""Check that a test scores the weights of the file that it was given."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hplreid.utils.user_error import UserError

from ..data_parallel import unwrap
from ..results.fingerprints import hash_weights


class ChangedWeightsError(UserError, RuntimeError):
    """A hook has changed the weights that were to be tested."""


class KeptWeightsHook(Hook):
    """Stops a test whose weights a hook has changed since they were loaded.

    A hook may exchange weights before a test, as MMEngine's ``EMAHook`` does. What it
    exchanges them for isn't what the file holds, and a score of it would be of weights
    that nobody keeps.

    Args:
        weights_hash: :func:`.hash_weights` of the model that has loaded the file.
        path: The file, for the message.
    """

    priority = 'LOWEST'  # after all that could change them

    def __init__(self, weights_hash: str, path: str) -> None:
        self.weights_hash = weights_hash
        self.path = path

    def before_test_epoch(self, runner: Runner) -> None:
        """Compare the weights with those that were loaded.

        Raises:
            ChangedWeightsError: They differ.
        """
        if hash_weights(unwrap(runner.model)) == self.weights_hash:
            return
        hooks = ', '.join(
            type(hook).__name__
            for hook in runner.hooks
            if {'before_run', 'before_test', 'before_test_epoch'}
            & {*hook.get_triggered_stages()}
            and hook is not self
        )
        raise ChangedWeightsError(
            f'A hook has changed the weights of {self.path} before they were tested, '
            'so that the scores would be of other weights than the file holds. Hooks '
            f'that are called before a test: {hooks}. Have the one that changes '
            'weights do so while training alone.'
        )


def takes_part_in_tests(hook: Hook) -> bool:
    """Return whether a hook has to do with a test.

    One that acts in training or validation and never in a test hasn't, whatever it
    does before a run: ``EarlyStoppingHook`` asks for a training loop there.

    Example:
        >>> from mmengine.hooks import EarlyStoppingHook, IterTimerHook
        >>> takes_part_in_tests(EarlyStoppingHook('mAP'))
        False
        >>> takes_part_in_tests(IterTimerHook())
        True
    """
    stages = hook.get_triggered_stages()
    acts = [stage for stage in stages if stage not in ('before_run', 'after_run')]
    return not acts or any('test' in stage for stage in acts)
