"""Save and restore the state that an exact resume of a staged training needs."""

from typing import Any, Protocol

from mmengine.hooks import EarlyStoppingHook, Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    pack_message_hub,
    to_plain,
    unpack_message_hub,
)

from ..identity_map import (
    describe_map_difference,
    fingerprint_identities,
    get_identity_map,
)
from ..random_state import restore_rng

_EARLY_STOPPING = ('best_score', 'wait_count')


class StagedLoop(Protocol):
    """What the hook needs of the training loop."""

    dataloader: DataLoader
    stages: list
    validated: int

    def state(self) -> dict[str, Any]:
        """Return the state of the stage."""

    def enter_stage(self, index: int) -> None:
        """Set up a stage."""


# MMEngine resumes without what is missing, from a new optimizer say
_NEEDED = ('state_dict', 'meta', 'message_hub', 'optimizer', 'param_schedulers')


class ResumeHook(Hook):
    """Saves stage, identities and random states in checkpoints, and restores them.

    Everything in the file is a tensor, a number, a string or a container of these.
    Random states of all processes come from :class:`AtomicCheckpointHook`, since
    MMEngine calls this hook in the first process only. The augmentation of an item
    depends on the seed and its position in the stream alone, so workers have no state.

    Args:
        loop: The training loop, which registers this hook itself.
    """

    priority = 'LOWEST'  # after all other hooks have changed the checkpoint

    def __init__(self, loop: StagedLoop) -> None:
        self.loop = loop
        self._rng_states: list[dict] | None = None
        self._identities: str | None = None  # of all stages

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add the stage and convert everything to plain values."""
        checkpoint['stage'] = self.loop.state()
        checkpoint['early_stopping'] = [
            {key: getattr(hook, key) for key in _EARLY_STOPPING}
            for hook in runner.hooks
            if isinstance(hook, EarlyStoppingHook)
        ]
        if self._identities is None:
            dataset = self.loop.dataloader.dataset
            self._identities = fingerprint_identities(dataset)
        checkpoint['meta'] = {**checkpoint['meta'], 'identities': self._identities}
        checkpoint['message_hub'] = pack_message_hub(checkpoint['message_hub'])
        for key in checkpoint.keys() - {'state_dict'}:
            checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Enter the stage of the checkpoint, before its optimizer state is loaded.

        Raises:
            CheckpointError: The checkpoint is of another training: other stages,
                another global batch or other identities.
        """
        if not runner._resume:
            return
        if 'stage' not in checkpoint:
            raise CheckpointError(
                'The checkpoint has no training stage to resume: it was not written by '
                'StagedTrainLoop. To start from its weights, use load_from.'
            )
        _check_complete(checkpoint)
        self._check_stage(runner, checkpoint['stage'])
        self._check_identities(checkpoint['meta'])
        checkpoint['message_hub'] = unpack_message_hub(checkpoint['message_hub'])
        self.loop.enter_stage(checkpoint['stage']['index'])
        self.loop.validated = checkpoint['stage'].get(
            'validated', checkpoint['meta']['epoch']
        )
        hooks = (hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook))
        for hook, state in zip(
            hooks, checkpoint.get('early_stopping', ()), strict=False
        ):
            vars(hook).update(state)
        self._rng_states = checkpoint['meta'].get('rng_states')
        if self._rng_states is None:
            runner.logger.warning(
                'The checkpoint has no random states (it was not written by '
                'AtomicCheckpointHook): dropout will differ from an unbroken run.'
            )
        elif len(self._rng_states) != runner.world_size:
            runner.logger.warning(
                f'Resumed with {runner.world_size} processes instead of '
                f'{len(self._rng_states)}: random states are not restored, and sums '
                'are rounded differently. The global batch is the same.'
            )
            self._rng_states = None

    def _check_stage(self, runner: Runner, saved: dict[str, Any]) -> None:
        """Check that the config has the stage of the checkpoint, with its batch."""
        index = saved['index']
        names = [stage.name for stage in self.loop.stages]
        if index >= len(names) or names[index] != saved['name']:
            raise CheckpointError(
                f"The checkpoint is in stage '{saved['name']}' ({index + 1}); the "
                f'config has the stages {names}.'
            )
        batch = self.loop.stages[index].dataloader['batch_size']
        if batch != saved['global_batch']:
            raise CheckpointError(
                f'The checkpoint was made with a global batch of '
                f'{saved["global_batch"]}, the config has {batch}.'
            )

    def _check_identities(self, meta: dict[str, Any]) -> None:
        """Check that every identity has the label that it has in the checkpoint."""
        old = (meta.get('dataset_meta') or {}).get('label_of')
        new = get_identity_map(self.loop.dataloader.dataset)
        if old is not None and new is not None and old != new:
            raise CheckpointError(
                'The training identities are not those of the checkpoint: '
                f'{describe_map_difference(old, new)}.'
            )

    def before_train(self, runner: Runner) -> None:
        """Restore the random states, after the stage has been entered."""
        if self._rng_states is not None:
            restore_rng(self._rng_states[runner.rank])
            self._rng_states = None


def _check_complete(checkpoint: dict[str, Any]) -> None:
    """Check that a checkpoint has all that a resume needs."""
    needed = {'stage': ('name', 'index', 'global_batch'), 'meta': ('epoch', 'iter')}
    missing = [key for key in _NEEDED if key not in checkpoint]
    missing += [
        f'{part}.{key}'
        for part, keys in needed.items()
        for key in keys
        if part in checkpoint and key not in checkpoint[part]
    ]
    if missing:
        raise CheckpointError(
            f'The checkpoint lacks {", ".join(missing)}, without which a training '
            "can't be resumed exactly. To start from its weights, use load_from."
        )
