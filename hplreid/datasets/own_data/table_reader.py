"""Reading a table file: CSV, JSON, JSON lines or Parquet."""

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
    """Cells by the name of our column, and where they stand in the file."""

    where: str
    cells: dict[str, Any]


def read_records(path: str, columns: Mapping[str, str]) -> list[Record]:
    """Read a table of which nothing but the columns is known.

    Args:
        path: The file; its suffix tells the format.
        columns: Our name of a column -> the table's, where they differ.

    Returns:
        The rows; a cell that a row lacks is not in it.

    Raises:
        MissingDataError: There is no such file.
        AnnotationError: It can't be read, or a column is missing.
        ImportError: What reads the format isn't installed.
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
        found, rows = _READERS[suffix](path)
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"Table '{path}' is not UTF-8 text ({error}). Save it as UTF-8."
        ) from error
    # ValueError: faulty JSON, endless numbers; RecursionError: [[[[...
    except (csv.Error, ValueError, RecursionError, OSError) as error:
        if isinstance(error, AnnotationError):
            raise
        raise AnnotationError(
            f"Table '{path}' can't be read as {suffix}: {error}."
        ) from error
    _check_columns(path, found, columns)
    theirs = {ours: columns.get(ours, ours) for ours in COLUMNS}
    return [
        Record(where, {o: row[t] for o, t in theirs.items() if t in row})
        for where, row in rows
    ]


Table = tuple[Iterable[str], Sequence[tuple[str, Mapping[str, Any]]]]


def _read_csv(path: str) -> Table:
    # The BOM that spreadsheets write would be part of the first column's name
    with open(path, encoding='utf-8-sig', newline='') as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise AnnotationError(
                f"Table '{path}' has columns twice: {list_names(twice)}."
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
            'objects; one object a line is .jsonl.'
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
                f"Table '{path}', {where}: a {type(value).__name__}. Expected an "
                f'object with {list_names(COLUMNS)}.'
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


def _check_columns(path: str, found: Iterable[str], columns: Mapping[str, str]) -> None:
    # A column that the config names must be there, even if it may be left out
    needed = [columns.get(ours, ours) for ours in REQUIRED] + sorted(columns.values())
    found = list(found)
    missing = [name for name in dict.fromkeys(needed) if name not in found]
    if missing:
        hint = ' Cells must be separated by commas.' if len(found) == 1 else ''
        raise AnnotationError(
            f"Table '{path}' has no column {list_names(missing)}; found: "
            f'{list_names([repr(name) for name in found]) or "none"}.{hint} Name columns '
            'otherwise with columns=dict(pid=...).'
        )
