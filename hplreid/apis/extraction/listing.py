"""Which images are encoded: of folders, of a table, or of a benchmark of a config."""

import os
from collections.abc import Iterable
from typing import NamedTuple

from mmengine.config import Config

from hplreid.datasets.own_data.annotation_rows import parse_whole_number
from hplreid.datasets.own_data.table_reader import read_records
from hplreid.engine.config.errors import suggest
from hplreid.registry import DATASETS
from hplreid.utils.user_error import UserError

from ..inputs import iter_images


class ListingError(UserError, ValueError):
    """Nothing can be made of what should be encoded."""


class Entry(NamedTuple):
    """An image to encode, and whose it is.

    Attributes:
        path: The file.
        pid: Identity as it's written; ``''`` if unknown.
        camid: Camera from 0; -1 if unknown.
    """

    path: str
    pid: str = ''
    camid: int = -1


def list_given(paths: Iterable[str]) -> list[Entry]:
    """List images, folders and globs.

    Raises:
        MissingDataError: There is none.

    Example:
        >>> from PIL import Image
        >>> Image.new('RGB', (4, 8)).save('a.png')
        >>> list_given(['*.png'])
        [Entry(path='a.png', pid='', camid=-1)]
    """
    # A list may name files that are gone, which is told at the end, with all others
    return [
        Entry(source.name)
        for path in paths
        for source in iter_images(path)
    ]  # fmt: skip


def list_table(table: str, data_root: str | None = None) -> list[Entry]:
    r"""List the images of a table, each once.

    Args:
        table: CSV, JSON, JSON lines or Parquet, with a column ``path`` and perhaps
            ``pid`` and ``camid``.
        data_root: Folder that paths are relative to. Defaults to the table's.

    Raises:
        MissingDataError: The table doesn't exist.
        AnnotationError: It can't be read, or has no ``path``.
        ListingError: It has no rows, a row has no path, or a camera is no number.

    Example:
        >>> from pathlib import Path
        >>> _ = Path('t.csv').write_text('path,pid\na.png,anna\na.png,anna\n')
        >>> list_table('t.csv')
        [Entry(path='a.png', pid='anna', camid=-1)]
    """
    root = os.path.dirname(table) if data_root is None else data_root
    entries: dict[str, Entry] = {}
    for where, cells in read_records(table, {}, required=('path',)):
        path = cells.get('path')
        if not isinstance(path, str) or not path.strip():
            raise ListingError(f"Table '{table}', {where}: path={path!r}, not a path.")
        camera = cells.get('camid')
        camid = -1 if camera in (None, '') else parse_whole_number(camera)
        if camid is None:
            raise ListingError(
                f"Table '{table}', {where}: camid={camera!r}, expected a whole number."
            )
        pid = cells.get('pid')
        full = os.path.join(root, path.strip())
        entries[full] = Entry(full, '' if pid is None else str(pid), camid)
    if not entries:
        raise ListingError(f"Table '{table}' has no rows.")
    return list(entries.values())


def list_benchmark(config: Config, name: str) -> list[Entry]:
    """List the images of a benchmark of a config, queries first.

    Raises:
        ListingError: The config has no such benchmark.
        MissingDataError: Its data aren't there.

    Example:
        >>> list_benchmark(Config(dict(test_dataloader=dict(market={}))), 'markt')
        Traceback (most recent call last):
        ...
        hplreid...ListingError: No benchmark 'markt' in test_dataloader, which has ...
    """
    loaders = config.get('test_dataloader') or {}
    if name not in loaders:
        raise ListingError(
            f"No benchmark '{name}' in test_dataloader, which has {', '.join(loaders)}."
            f'{suggest(name, loaders)}'
        )
    dataset = DATASETS.build(dict(loaders[name]['dataset'].to_dict(), pipeline=[]))
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [
        Entry(item['img_path'], str(item['pid']), item['camid'])
        for item in items
        if item['img_path'] is not None
    ]
