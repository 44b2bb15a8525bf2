"""Where else a dataset may be, if not where it was said to be."""

import os

_MOST = 100  # a folder of more isn't an archive's


def list_subfolders(folder: str) -> list[str]:
    """List the folders in a folder and, if they are few, in these.

    Example:
        >>> from pathlib import Path
        >>> Path('market/Market-1501').mkdir(parents=True)
        >>> list_subfolders('.')
        ['./market', './market/Market-1501']
    """
    first = _list(folder)
    return [*first, *(inner for outer in first for inner in _list(outer))]


def _list(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(e.path for e in entries if e.is_dir() and e.name[0] != '.')
    except OSError:  # it must not be read
        return []
    return found if len(found) <= _MOST else []
