"""A dataset from a table with a row for each image, or for each caption of an image."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hplreid.registry import DATASETS

from ..errors import AnnotationError, MissingDataError, list_names
from ..items import Pipeline
from .annotation_rows import Row, find_row_problems, number_identities, used_splits
from .own_dataset import OwnDataset
from .table_reader import COLUMNS
from .table_validation import read_rows


@DATASETS.register_module()
class TableDataset(OwnDataset):
    r"""A dataset of your own images and captions, listed in a table.

    Columns: ``path`` of an image, relative to ``data_root``; ``pid``, its identity;
    ``split``, one of ``train``, ``val``, ``test``, ``query`` and ``gallery``; and, both
    optional, ``camid``, a whole number from 0, and ``caption``. An image with several
    captions has a row for each. Empty cells, camera -1 and NaN mean unknown.

    Split ``'train'`` has one item for each row. A test split depends on the task:
    ``'t2i'`` has the images of the rows of split ``val`` or ``test`` (gallery),
    followed by their captions (queries); ``'i2i'`` has the rows of split ``query``,
    followed by those of split ``gallery``, without captions. Images are sorted by
    path, captions of an image alphabetically.

    A ``pid`` may be any text. If all are whole numbers they are kept, otherwise they
    are numbered in sorted order over all splits. The rows of all splits are validated.

    Args:
        table: The table file: ``.csv`` (UTF-8, with a header), ``.json`` (a list of
            objects), ``.jsonl`` (one object per line) or ``.parquet``.
        split: ``'train'``, ``'val'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        task: ``'t2i'`` or ``'i2i'``; None (only) for training.
        data_root: Folder that paths are relative to. Defaults to the table's.
        columns: Our name of a column -> the table's, where they differ.
        name: Name of the dataset. Defaults to the table's file name without suffix.
        verify: Whether to decode every image now and list all unreadable ones.

    Raises:
        MissingDataError: Table or images are missing, or the split is empty.
        AnnotationError: The table is invalid; the message lists the first faulty rows
            with the reason.
        UnreadableImageError: See ``verify``.
        ImportError: Parquet needs pyarrow.
        ValueError: An option is invalid.

    Example:
        >>> from pathlib import Path
        >>> Path('a.jpg').touch()
        >>> _ = Path('people.csv').write_text('path,pid,split\na.jpg,anna,train\n')
        >>> dataset = TableDataset('people.csv')
        >>> dataset[0]['label'], dataset.metainfo['label_of']
        (0, {'anna': 0})
    """

    benchmark = 'TableDataset'
    splits = ('train', 'val', 'test')

    def __init__(
        self,
        table: str,
        split: str = 'train',
        pipeline: Pipeline = (),
        *,
        task: str | None = None,
        data_root: str | None = None,
        columns: Mapping[str, str] | None = None,
        name: str | None = None,
        verify: bool = False,
    ) -> None:
        self.check_split(split)
        _check_options(split, task, columns)
        self.table = table
        root = _choose_root(table, data_root)
        super().__init__(
            read_rows(table, root, columns),
            root,
            split,
            pipeline,
            task,
            name or os.path.splitext(os.path.basename(table))[0],
            verify,
        )

    @property
    def layout_options(self) -> dict[str, Any]:
        """See :class:`BaseReIDDataset`."""
        return {'table': self.table, 'task': self.task, 'rows': self._rows}

    @classmethod
    def find_problems(  # type: ignore[override]  # called with keywords only
        cls,
        table: str,
        split: str = 'train',
        task: str | None = None,
        data_root: str | None = None,
        columns: Mapping[str, str] | None = None,
        rows: Sequence[Row] | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        The whole table is read, unless its ``rows`` are given.
        """
        cls.check_split(split)
        _check_options(split, task, columns)
        if rows is None:
            try:
                rows = read_rows(table, _choose_root(table, data_root), columns)
                number_identities(row.identity for row in rows)
            except (AnnotationError, MissingDataError, ImportError) as error:
                return [str(error)]
        return _find_problems(rows, split, task, table)


def _check_options(
    split: str, task: str | None, columns: Mapping[str, str] | None
) -> None:
    unknown = sorted(set(columns or {}) - set(COLUMNS))
    if unknown:
        raise ValueError(f'columns: no {unknown}; expected some of {COLUMNS}.')
    if split == 'train' and task is not None:
        raise ValueError(f"task={task!r}: split 'train' is the same for all tasks.")
    if split != 'train' and task not in ('t2i', 'i2i'):
        raise ValueError(
            f"TableDataset needs task='t2i' or task='i2i' for split '{split}', got "
            f'{task!r}.'
        )
    if (split, task) == ('val', 'i2i'):
        raise ValueError(
            "task='i2i' is tested with rows of split 'query' and 'gallery': set "
            "split='test'."
        )


def _find_problems(
    rows: Sequence[Row], split: str, task: str | None, table: str
) -> list[str]:
    hint = "Write {split} into column 'split' of the rows that belong to it."
    problems = find_row_problems(rows, split, task, f"Table '{table}'", hint)
    used = used_splits(split, task)
    paths = {row.path for row in rows if row.split in used}
    missing = find_missing_files(paths)
    if missing:
        problems.append(
            f"Table '{table}': {len(missing):,} of {len(paths):,} images do not exist "
            f'or are not readable: {list_names(missing)}. Paths are relative to '
            'data_root, by default the folder of the table.'
        )
    return problems


def find_missing_files(paths: Iterable[str]) -> list[str]:
    """Return the files that do not exist, sorted.

    Each folder is listed once, which is much faster than a check for each file.

    Example:
        >>> from pathlib import Path
        >>> Path('a.jpg').touch()
        >>> find_missing_files(['a.jpg', 'b.jpg'])
        ['b.jpg']
    """
    paths = sorted(paths)
    files: dict[str, set[str]] = {}
    for folder in {os.path.dirname(path) for path in paths}:
        try:
            with os.scandir(folder or os.curdir) as entries:
                files[folder] = {entry.name for entry in entries if entry.is_file()}
        except OSError:  # the folder does not exist or must not be read
            files[folder] = set()
    return [p for p in paths if os.path.basename(p) not in files[os.path.dirname(p)]]


def _choose_root(table: str, data_root: str | None) -> str:
    return data_root or os.path.dirname(table) or os.curdir
