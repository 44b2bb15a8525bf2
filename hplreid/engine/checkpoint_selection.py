"""How the weights that are scored were chosen, and by scores on what."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import barrier
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner

from hplreid.utils.checkpoint import read_checkpoint

SELECTION = 'selection'
"""Where it stands in the ``meta`` of a selected checkpoint, and in the message hub."""

_SAME_DATA = ('pipeline', 'name', 'expected', 'strict', 'verify')


def selects_on(runner: Runner) -> str:
    """Say what a best checkpoint of this run is chosen on.

    Returns:
        ``'the test split'``, if any benchmark of the validation is a test split or one
        of those that are tested; else ``'validation'``.
    """
    test = [_data_of(dataset) for dataset in _datasets(runner, 'test')]
    for dataset in _datasets(runner, 'val'):
        if _split_of(dataset) == 'test' or _data_of(dataset) in test:
            return 'the test split'
    return 'validation'


def describe_choice(runner: Runner, name: str) -> str:
    """Say how the checkpoint ``name``, which ``runner`` has loaded, was chosen."""
    stamp = runner.message_hub.get_info(SELECTION)
    if stamp:
        return describe_stamp(stamp)
    if not name.startswith('best_'):  # how CheckpointHook(save_best=...) names files
        return 'not selected'
    if not runner._val_dataloader:
        return 'selected; on what, it does not say'
    return f'best on {selects_on(runner)}'


def describe_stamp(stamp: Mapping[str, Any]) -> str:
    """Put the stamp of a selected checkpoint in words."""
    return f'best on {stamp["on"]} by {stamp["score"]}'


def load_selected(runner: Runner) -> None:
    """After a training that selects, take up the weights that were selected.

    They are the last ones otherwise, and so they stay where another hook than
    :class:`AtomicCheckpointHook` selects, which doesn't say what on.
    """
    path = runner.message_hub.get_info('best_ckpt')
    if path is None:
        return
    barrier()  # the first process has written it
    checkpoint = read_checkpoint(path)
    stamp = checkpoint['meta'].get(SELECTION)
    if stamp is None:
        return
    model: Any = runner.model
    model = model.module if is_model_wrapper(model) else model
    model.load_state_dict(checkpoint['state_dict'])
    runner.message_hub.update_info(SELECTION, stamp)
    runner.logger.info(
        f'Scored is {Path(path).name}, {describe_stamp(stamp)} ({stamp["value"]:.2f}).'
    )


def _datasets(runner: Runner, mode: str) -> Iterator[Any]:
    """Yield the datasets of a loop's benchmarks, if built, and their configs."""
    loop = getattr(runner, f'_{mode}_loop')
    if isinstance(loop, BaseLoop) and hasattr(loop.dataloader, 'loaders'):
        for loader in loop.dataloader.loaders.values():
            yield loader.dataset
    for loader in (getattr(runner, f'_{mode}_dataloader') or {}).values():
        if isinstance(loader, Mapping) and 'dataset' in loader:
            yield loader['dataset']
        elif hasattr(loader, 'dataset'):
            yield loader.dataset


def _split_of(dataset: Any) -> str | None:  # noqa: ANN401
    if not isinstance(dataset, Mapping):
        dataset = getattr(dataset, 'metainfo', None) or {}
    return dataset.get('split')


def _data_of(dataset: Any) -> Any:  # noqa: ANN401
    """Return what of a config says which data are read; a built dataset as it is."""
    if not isinstance(dataset, Mapping):
        return dataset
    return {k: v for k, v in dataset.items() if k not in _SAME_DATA}
