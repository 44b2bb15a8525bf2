"""Errors about data on disk: each names the file, the reason and what was expected."""

from collections.abc import Sequence


class MissingDataError(FileNotFoundError):
    """A folder, an annotation file or images are not there."""


class EmptySplitError(MissingDataError):
    """A dataset is there but has nothing in the split that was asked for."""


class AnnotationError(ValueError):
    """An annotation, or a file name that holds one, can't be understood.

    Args:
        message: What is wrong, where, what was expected and what to do.
        faults: Every single fault, where there are several of a kind.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class UnreadableImageError(ValueError):
    """An image file is there but can't be decoded."""


class CountMismatchError(ValueError):
    """A dataset doesn't hold as much as was published."""


def listing(names: Sequence[object], limit: int = 10) -> str:
    """Write the first ``limit`` names on one line, and how many more there are."""
    text = ', '.join(str(name) for name in names[:limit])
    more = len(names) - limit
    return f'{text} and {more:,} more' if more > 0 else text


def list_faults(faults: Sequence[str], limit: int = 10) -> str:
    """Write the first ``limit`` faults on a line each, and how many more there are."""
    more = len(faults) - limit
    tail = [f'  and {more:,} more'] if more > 0 else []
    return '\n'.join([*(f'  {fault}' for fault in faults[:limit]), *tail])
