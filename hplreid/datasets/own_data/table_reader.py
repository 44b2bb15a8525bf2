"""Reading table files: CSV, JSON, JSON lines and Parquet.

The standard library reads all but Parquet: pandas, polars and pyarrow lose the line
numbers that error messages need.
"""

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import AnnotationError, MissingDataError, list_names

COLUMNS = ('path', 'pid', 'split', 'camid', 'caption')
REQUIRED = ('path', 'pid', 'split')


class Record(NamedTuple):
    """The cells of a row by our column names, and the row's place in the file."""

    where: str
    cells: dict[str, Any]


def read_records(
    path: str,
    columns: Mapping[str, str],
    required: Sequence[str] = REQUIRED,
    *,
    others: bool = False,
) -> list[Record]:
    r"""Read the records of a table file; their cells are not validated.

    Args:
        path: The table file; its suffix determines the format.
        columns: Our name of a column -> the table's, where they differ.
        required: Our names of the columns that must be there.
        others: Whether columns that we have no name for are kept, too.

    Returns:
        The rows; JSON objects may lack cells.

    Raises:
        MissingDataError: The file does not exist.
        AnnotationError: It can't be read, or a column is missing.
        ImportError: The library that reads the format isn't installed.

    Example:
        >>> from pathlib import Path
        >>> _ = Path('t.csv').write_text('file,pid,split\na.jpg,7,train\n')
        >>> read_records('t.csv', {'path': 'file'})[0]
        Record(where='line 2', cells={'path': 'a.jpg', 'pid': '7', 'split': 'train'})
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _READERS:
        raise AnnotationError(
            f"Table '{path}': the suffix must be one of {list_names(list(_READERS))}."
        )
    if not os.path.isfile(path):
        raise MissingDataError(
            f"Table '{path}' does not exist. Expected a file with columns "
            f'{list_names(COLUMNS)}; see docs/own_data.md.'
        )
    try:
        names, rows = _READERS[suffix](path)
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"Table '{path}' is not UTF-8 text ({error}). Save it as UTF-8."
        ) from error
    # ValueError: invalid JSON, integers of thousands of digits; RecursionError: [[[[...
    except (csv.Error, ValueError, RecursionError, OSError) as error:
        if isinstance(error, AnnotationError):
            raise
        raise AnnotationError(
            f"Table '{path}' can't be read as {suffix}: {error}."
        ) from error
    _check_columns(path, list(names), columns, required)
    renamed = {column: columns.get(column, column) for column in COLUMNS}
    if others:
        renamed.update({n: n for n in names if n not in renamed.values()})
    return [
        Record(where, {c: row[name] for c, name in renamed.items() if name in row})
        for where, row in rows
    ]


Table = tuple[Iterable[str], Sequence[tuple[str, Mapping[str, Any]]]]
"""Column names, and for each row its place in the file and its cells by name."""


def _read_csv(path: str) -> Table:
    # utf-8-sig: the BOM of spreadsheets would become part of the first column's name
    with open(path, encoding='utf-8-sig', newline='') as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        duplicates = sorted({n for n in header if n and header.count(n) > 1})
        if duplicates:
            raise AnnotationError(
                f"Table '{path}' has duplicate columns: {list_names(duplicates)}."
            )
        rows = []
        for cells in reader:
            where = f'line {reader.line_num}'
            if not cells:
                continue
            if len(cells) != len(header):
                raise AnnotationError(
                    f"Table '{path}', {where}: {len(cells)} cells under "
                    f'{len(header)} columns. Put quotes around text with a comma in it.'
                )
            rows.append((where, dict(zip(header, cells, strict=True))))
    return header, rows


def _read_json(path: str) -> Table:
    with open(path, encoding='utf-8-sig') as file:
        records = json.load(file)
    if not isinstance(records, list):
        raise AnnotationError(
            f"Table '{path}' holds a {type(records).__name__}. Expected a list of "
            'objects; a file with one object per line must end in .jsonl.'
        )
    return _from_objects(path, [(f'record {i}', r) for i, r in enumerate(records)])


def _read_json_lines(path: str) -> Table:
    with open(path, encoding='utf-8-sig') as file:
        lines = [(f'line {i}', line) for i, line in enumerate(file, 1) if line.strip()]
    objects = []
    for where, line in lines:
        try:
            objects.append((where, json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise AnnotationError(
                f"Table '{path}', {where}: not valid JSON ({error})."
            ) from error
    return _from_objects(path, objects)


def _from_objects(path: str, objects: list[tuple[str, Any]]) -> Table:
    for where, value in objects:
        if not isinstance(value, dict):
            raise AnnotationError(
                f"Table '{path}', {where}: found a {type(value).__name__}. Expected "
                f'an object with {list_names(COLUMNS)}.'
            )
    return {name: None for _, value in objects for name in value}, objects


def _read_parquet(path: str) -> Table:
    try:
        parquet: Any = import_module('pyarrow.parquet')
    except ImportError as error:
        raise ImportError(
            f"Table '{path}': Parquet files are read by pyarrow, which is not "
            'installed. Install it (pip install pyarrow), or save the table as CSV.'
        ) from error
    with parquet.ParquetFile(path) as file:
        table = file.read()
    rows = [(f'row {i}', row) for i, row in enumerate(table.to_pylist())]
    return table.column_names, rows


_READERS = {
    '.csv': _read_csv,
    '.json': _read_json,
    '.jsonl': _read_json_lines,
    '.parquet': _read_parquet,
}


def _check_columns(
    path: str, names: list[str], columns: Mapping[str, str], required: Sequence[str]
) -> None:
    # An optional column must exist if the config renames it
    needed = [columns.get(column, column) for column in required]
    needed += sorted(columns.values())
    missing = [name for name in dict.fromkeys(needed) if name not in names]
    if missing:
        hint = ' Cells must be separated by commas.' if len(names) == 1 else ''
        existing = list_names([repr(name) for name in names]) or 'none'
        raise AnnotationError(
            f"Table '{path}' has no column {list_names(missing)}; found: {existing}."
            f'{hint} Map columns with other names with columns=dict(pid=...).'
        )
