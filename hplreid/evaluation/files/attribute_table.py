"""Attributes of queries from a table: what scores are grouped by."""

import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hplreid.utils.user_error import UserError

from .feature_items import is_image_name

UNKNOWN = 'unknown'
"""Value of a query that the table doesn't have."""

_KEYS = ('path', 'caption')


class AttributeTableError(UserError, ValueError):
    """A table of attributes is malformed, or has none of the queries."""


def read_attributes(path: str | Path, names: Sequence[str]) -> dict[str, list[str]]:
    r"""Read the attributes of queries from a CSV file.

    Args:
        path: A table with a column ``path``, for queries that are images, or
            ``caption``, for those that are captions, and a column for each attribute:
            ``group``, ``occlusion``. A path of the table may be longer or shorter than
            that of the query, as long as the end is the same. It may have rows of other
            items.
        names: Path or caption of each query, ``Q`` of them.

    Returns:
        For each attribute its value of each query, ``Q`` of them; ``'unknown'`` where
        the table has none, or several for the same caption.

    Raises:
        FileNotFoundError: There is no such file.
        AttributeTableError: It isn't such a table, has none of the queries, or two
            values for an image.

    Example:
        >>> _ = Path('groups.csv').write_text('path,hidden\nquery/a.jpg,10\n')
        >>> read_attributes('groups.csv', ['data/query/a.jpg', 'data/query/b.jpg'])
        {'hidden': ['10', 'unknown']}
    """
    rows, attributes = _read_rows(Path(path))
    found: list[dict[str, str] | None] = [None] * len(names)
    places = _places(names)
    for line, row in enumerate(rows, 2):
        for place in _find(row, names, places):
            values = {name: row[name].strip() for name in attributes}
            known = found[place]
            if known is None:
                found[place] = values
            elif known != values:
                if is_image_name(names[place]):
                    raise AttributeTableError(
                        f"'{path}', line {line}: '{names[place]}' has {values}, but "
                        f'{known} before. Expected one row for an image.'
                    )
                found[place] = {
                    name: value if values[name] == value else UNKNOWN
                    for name, value in known.items()
                }
    if not any(found):
        raise AttributeTableError(
            f"'{path}' has none of the {len(names)} queries: expected them in a column "
            f"'path' or 'caption'; the first query is '{names[0]:.80}'."
        )
    return {
        name: [(values or {}).get(name) or UNKNOWN for values in found]
        for name in attributes
    }


def _read_rows(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rows of a table, and its attributes."""
    if not path.is_file():
        raise FileNotFoundError(f"'{path}' does not exist.")
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            reader = csv.DictReader(file, restkey='', restval=None)
            rows = list(reader)
            heads = list(reader.fieldnames or [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise AttributeTableError(f"'{path}' is no CSV file: {error}.") from error
    attributes = [head for head in heads if head not in _KEYS]
    if len(attributes) == len(heads) or not attributes or not all(heads):
        raise AttributeTableError(
            f"'{path}' has the columns {', '.join(heads) or '-'}: expected 'path' or "
            "'caption', and at least one attribute, such as 'path,group'."
        )
    for line, row in enumerate(rows, 2):
        if '' in row or None in row.values():
            raise AttributeTableError(
                f"'{path}', line {line}: expected {len(heads)} columns, as in line 1."
            )
    return rows, attributes


def _places(names: Sequence[str]) -> dict[str, list[int]]:
    """Return where queries are, by file name or caption."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        key = PurePosixPath(name).name if is_image_name(name) else name.strip()
        places.setdefault(key, []).append(place)
    return places


def _find(
    row: dict[str, str], names: Sequence[str], places: dict[str, list[int]]
) -> list[int]:
    """Return the queries that a row is of."""
    path = PurePosixPath((row.get('path') or '').strip().replace('\\', '/'))
    own = [
        place
        for place in places.get(path.name, [])
        if is_image_name(names[place]) and _same_end(path, PurePosixPath(names[place]))
    ]
    caption = (row.get('caption') or '').strip()
    return own + (places.get(caption, []) if caption else [])


def _same_end(a: PurePosixPath, b: PurePosixPath) -> bool:
    return all(
        x == y for x, y in zip(reversed(a.parts), reversed(b.parts), strict=False)
    )
