"""Items of folders and of tables."""

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hplreid.apis.inputs import iter_images
from hplreid.datasets.own_data.table_reader import read_records

from ..errors import ItemError, QueryError
from ..filters import parse_time
from .item import Box, Item

_BOX = ('left', 'top', 'width', 'height')
_KNOWN = ('id', 'path', 'camera', 'camid', 'time', 'track', 'source', *_BOX)


def list_items(
    paths: Iterable[str],
    root: str | Path | None = None,
    camera: str | None = None,
    source: str | None = None,
    pattern: str | None = None,
) -> tuple[list[Item], str]:
    r"""List images, folders and globs as items, whose ids are their paths.

    Args:
        paths: The images.
        root: Folder that paths are to be relative to. Defaults to the innermost one
            that all are in.
        camera: Camera of all.
        source: Source of all.
        pattern: Regular expression that is looked for in each path. Its groups
            ``camera``, ``time``, ``track`` and ``source`` are those of the item, others
            are kept as ``meta``.

    Returns:
        The items, and the root.

    Raises:
        MissingDataError: There is none.
        ItemError: One is outside the root, or the pattern isn't in its path.

    Example:
        >>> from PIL import Image
        >>> Path('crops').mkdir()
        >>> Image.new('RGB', (4, 8)).save('crops/0007_c3s1.png')
        >>> items, root = list_items(['crops'], pattern=r'_c(?P<camera>\d)')
        >>> items[0].id, items[0].camera
        ('0007_c3s1.png', '3')
    """
    files = [s.name for path in paths for s in iter_images(path)]
    full = list(dict.fromkeys(os.path.abspath(file) for file in files))
    if root is None:
        root = os.path.commonpath([os.path.dirname(file) for file in full])
    base = os.path.abspath(os.path.expanduser(root))
    items = []
    for file in full:
        path = _relative(file, base)
        cells = dict(path=path, camera=camera, source=source)
        if pattern is not None:
            cells.update(_match(pattern, path))
        items.append(_item_of(cells, base))
    return items, base


def list_table_items(
    table: str, root: str | Path | None = None
) -> tuple[list[Item], str]:
    r"""List the items of a table: a row for each.

    Columns are ``path``, and perhaps ``id``, ``camera`` or ``camid``, ``time`` (a date,
    UTC, or seconds), ``left``, ``top``, ``width`` and ``height`` of the person's box in
    pixels, ``track`` and ``source``. All others are kept as ``meta``.

    Args:
        table: CSV, JSON, JSON lines or Parquet.
        root: Folder that paths are relative to. Defaults to the table's.

    Returns:
        The items, and the root.

    Raises:
        MissingDataError: The table doesn't exist.
        AnnotationError: It can't be read, or has no ``path``.
        ItemError: It has no rows, or a value is of another kind.

    Example:
        >>> _ = Path('t.csv').write_text('path,camera,time,shop\na.png,north,60,17\n')
        >>> items, root = list_table_items('t.csv')
        >>> items[0].camera, items[0].time, items[0].meta
        ('north', 60.0, {'shop': '17'})
    """
    base = os.path.abspath(
        os.path.expanduser(os.path.dirname(table) if root is None else root)
    )
    items: dict[str, Item] = {}
    for where, cells in read_records(table, {}, ('path',), others=True):
        place = f"Table '{table}', {where}"
        try:
            item = _item_of(cells, base)
        except (ItemError, QueryError) as error:
            raise ItemError(f'{place}: {error}') from None
        if item.id in items:
            raise ItemError(
                f'{place}: id {item.id!r} is there already: give a column id that '
                'differs in each row.'
            )
        items[item.id] = item
    if not items:
        raise ItemError(f"Table '{table}' has no rows.")
    return list(items.values()), base


def _match(pattern: str, path: str) -> dict[str, str | None]:
    try:
        found = re.search(pattern, path)
    except re.error as error:
        raise ItemError(
            f'pattern={pattern!r} is no regular expression: {error}.'
        ) from (None)
    if found is None or not found.groupdict():
        raise ItemError(
            f"pattern={pattern!r} has no group in '{path}': expected one such as "
            r'_c(?P<camera>\d+) in each path.'
        )
    return found.groupdict()


def _item_of(cells: Mapping[str, Any], base: str) -> Item:
    given = {k: v for k, v in cells.items() if not _is_empty(v)}
    path = given.get('path')
    if not isinstance(path, str):
        raise ItemError(f'path={path!r} is no path.')
    path = path.strip().replace('\\', '/')
    if os.path.isabs(path):
        path = _relative(path, base)
    box = _box_of(given)
    camera = given.get('camera', given.get('camid'))
    name = path if box is None else f'{path}#{",".join(map(str, box))}'
    return Item(
        id=str(given.get('id', name)),
        path=path,
        camera=None if camera is None else _text(camera),
        time=parse_time(given['time']) if 'time' in given else None,
        box=box,
        track=_text(given['track']) if 'track' in given else None,
        source=_text(given['source']) if 'source' in given else None,
        meta={k: v for k, v in given.items() if k not in _KNOWN},
    )


def _box_of(given: Mapping[str, Any]) -> Box | None:
    values = [given.get(name) for name in _BOX]
    if all(value is None for value in values):
        return None
    try:
        whole = [round(float(value)) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        shown = ', '.join(f'{n}={v!r}' for n, v in zip(_BOX, values, strict=True))
        raise ItemError(f'{shown}: expected numbers of pixels.') from None
    return whole[0], whole[1], whole[2], whole[3]


def _relative(file: str, base: str) -> str:
    path = os.path.relpath(file, base).replace(os.sep, '/')
    if path == '..' or path.startswith('../'):
        raise ItemError(
            f"Image '{file}' is outside of the gallery's root '{base}': give a root "
            'that all images are in.'
        )
    return path


def _text(value: Any) -> str:  # noqa: ANN401
    """Return a name that may have been read as a number."""
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer()
        else str(value)
    )


def _is_empty(value: Any) -> bool:  # noqa: ANN401
    missing = isinstance(value, float) and math.isnan(value)
    return value is None or missing or (isinstance(value, str) and not value.strip())
