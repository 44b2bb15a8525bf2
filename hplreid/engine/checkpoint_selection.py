"""Which checkpoint is scored, and on which split it was selected."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import barrier
from mmengine.runner import BaseLoop, Runner

from hplreid.utils.checkpoints.checkpoint import read_checkpoint

SELECTION = 'selection'
"""Key of the selection record in a checkpoint's ``meta`` and in the message hub.

The record of a best checkpoint says by which ``score`` it was selected, the ``value``
of that score, ``on`` which split, and after which ``epoch``.
"""

# Keys of a dataset's config that don't change which data it reads
_OTHER_THAN_DATA = ('pipeline', 'name', 'expected', 'strict', 'verify')


def selection_split(runner: Runner) -> str:
    """Return the split on which the best checkpoint of a run is selected.

    Returns:
        ``'the test split'`` if a benchmark of the validation is a test split or is also
        a benchmark of the test; else ``'validation'``.
    """
    test = [_data_of(dataset) for dataset in _datasets(runner, 'test')]
    for dataset in _datasets(runner, 'val'):
        if _split_of(dataset) == 'test' or _data_of(dataset) in test:
            return 'the test split'
    return 'validation'


def describe_selection(runner: Runner, name: str) -> str:
    """Describe how a loaded checkpoint was selected, for the title of a table.

    Args:
        runner: The runner that has loaded it.
        name: Its file name.
    """
    record = runner.message_hub.get_info(SELECTION)
    if record:
        return describe_record(record)
    if not name.startswith('best_'):  # how CheckpointHook(save_best=...) names files
        return 'not selected'
    if not runner._val_dataloader:
        return 'selected, on an unknown split'
    return f'best on {selection_split(runner)}'


def describe_record(record: Mapping[str, Any]) -> str:
    """Describe the selection record of a best checkpoint."""
    return f'best on {record["on"]} by {record["score"]}'


def read_best_checkpoint(runner: Runner) -> dict[str, Any] | None:
    """Read the best checkpoint of a training that selects one.

    Returns:
        The checkpoint, with its selection record in ``meta``. None without selection,
        and where another hook than :class:`AtomicCheckpointHook` selects, which writes
        no record of the split.
    """
    path = runner.message_hub.get_info('best_ckpt')
    if path is None:
        return None
    barrier()  # the first process has written it
    checkpoint = read_checkpoint(path)
    record = checkpoint['meta'].get(SELECTION)
    if record is None:
        return None
    runner.logger.info(
        f'Loaded {Path(path).name} for the test: {describe_record(record)} '
        f'({record["value"]:.2f}).'
    )
    return checkpoint


def _datasets(runner: Runner, mode: str) -> Iterator[Any]:
    """Yield the built datasets of a loop's benchmarks, or else their configs."""
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
    """Return the split of a dataset or of its config, None where it has none."""
    if not isinstance(dataset, Mapping):
        dataset = getattr(dataset, 'metainfo', None) or {}
    return dataset.get('split')


def _data_of(dataset: Any) -> Any:  # noqa: ANN401
    """Return the part of a config that says which data are read.

    A built dataset is returned unchanged.
    """
    if not isinstance(dataset, Mapping):
        return dataset
    return {k: v for k, v in dataset.items() if k not in _OTHER_THAN_DATA}
