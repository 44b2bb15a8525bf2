"""Validating the rows of a table, each by itself and against the others."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from hplreid.utils.log import log

from ..errors import AnnotationError, list_faults
from ..fault_collector import raise_or_collect
from .annotation_rows import ROW_SPLITS, Row, parse_whole_number
from .table_reader import Record, read_records

_NEGATIVE = re.compile(r'-[0-9.]+')
_MISSING_CAPTIONS = ('nan', 'none', 'null')  # str() of a missing value in scripts


def read_rows(
    table: str, data_root: str, columns: Mapping[str, str] | None = None
) -> list[Row]:
    """Read a table and validate every row.

    Args:
        table: The table file.
        data_root: Folder that paths are relative to.
        columns: Our name of a column -> the table's, where they differ.

    Raises:
        MissingDataError, AnnotationError, ImportError: See :class:`TableDataset`.
    """
    records = read_records(table, columns or {})
    turned = _turn_slashes(records)
    if turned:
        log(
            f"Table '{table}': {turned:,} of {len(records):,} paths have backslashes, "
            'as on Windows; they are read as slashes.',
            level=logging.WARNING,
        )
    checked = [(record, _find_fault(record.cells)) for record in records]
    faults = [f'{record.where}: {fault}' for record, fault in checked if fault]
    valid = [record for record, fault in checked if not fault]
    with raise_or_collect():
        _raise_if_any(faults, table, len(records))
    rows = [_to_row(record.cells, data_root) for record in valid]
    with raise_or_collect():
        _raise_if_any(_find_conflicts(valid, rows), table, len(records))
    return rows


def _turn_slashes(records: Sequence[Record]) -> int:
    """Write the paths of Windows with slashes; return how many there are."""
    turned = [
        record.cells
        for record in records
        if isinstance(path := record.cells.get('path'), str) and '\\' in path
    ]
    for cells in turned:
        cells['path'] = cells['path'].replace('\\', '/')
    return len(turned)


def _find_fault(cells: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a row, or None."""
    path, pid, split = cells.get('path'), cells.get('pid'), cells.get('split')
    camid, caption = cells.get('camid'), cells.get('caption')
    if not _is_text(path) or '\0' in path:
        return f'path is {path!r}, not a path'
    if not (_is_text(pid) or parse_whole_number(pid) is not None):
        return f'pid is {pid!r}, not a text or a whole number from 0'
    if isinstance(pid, str) and _NEGATIVE.fullmatch(pid.strip()):
        return f'pid is {pid!r}, which marks junk in benchmarks: remove such rows'
    if not isinstance(split, str) or split.strip() not in ROW_SPLITS:
        return f'split is {split!r}, not one of {ROW_SPLITS}'
    if not _is_unknown_camera(camid) and parse_whole_number(camid) is None:
        return f'camid is {camid!r}, not a whole number from 0, -1 or empty'
    if not _is_empty(caption):
        if not _is_text(caption):
            return f'caption is {caption!r}, not a text'
        if caption.strip().lower() in _MISSING_CAPTIONS:
            return f'caption is {caption!r}: leave it empty if there is none'
    return None


def _to_row(cells: Mapping[str, Any], data_root: str) -> Row:
    pid, camid, caption = cells['pid'], cells.get('camid'), cells.get('caption')
    return Row(
        path=os.path.join(data_root, cells['path']),
        identity=pid.strip() if isinstance(pid, str) else str(int(pid)),
        camid=-1 if _is_unknown_camera(camid) else int(parse_whole_number(camid) or 0),
        caption=None if _is_empty(caption) else str(caption).strip(),
        split=cells['split'].strip(),
    )


def _find_conflicts(records: Sequence[Record], rows: Sequence[Row]) -> list[str]:
    """Return where rows of one image contradict or repeat each other."""
    first_of_path: dict[str, tuple[str, Row]] = {}
    first_of_row: dict[Row, str] = {}
    faults = []
    for record, row in zip(records, rows, strict=True):
        where, other = first_of_path.setdefault(row.path, (record.where, row))
        for name in ('identity', 'camid'):
            old, new = getattr(other, name), getattr(row, name)
            if old != new:
                faults.append(
                    f'{record.where}: {name} of {row.path!r} is {new!r}, but {old!r} '
                    f'in {where}'
                )
        first = first_of_row.setdefault(row, record.where)
        if first != record.where:
            faults.append(f'{record.where}: the same as {first}')
    return faults


def _raise_if_any(faults: Sequence[str], table: str, count: int) -> None:
    if faults:
        raise AnnotationError(
            f"Table '{table}' has {len(faults):,} faults in {count:,} rows:\n"
            f'{list_faults(faults)}',
            faults,
        )


def _is_empty(value: Any) -> bool:  # noqa: ANN401
    missing = value is None or (isinstance(value, float) and value != value)
    return missing or (isinstance(value, str) and not value.strip())


def _is_unknown_camera(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return value.strip() in ('', '-1', '-1.0')
    return _is_empty(value) or value == -1


def _is_text(value: Any) -> TypeGuard[str]:  # noqa: ANN401
    """Return whether ``value`` is a text that isn't blank and can be encoded."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON allows
        return False
    return True
