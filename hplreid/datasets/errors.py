"""Errors about data on disk: each names the file, the reason and what was expected."""

from collections.abc import Sequence

from hplreid.utils.user_error import UserError

_LONGEST = 400  # characters of a name or a fault that a message shows


class MissingDataError(UserError, FileNotFoundError):
    """Raised when a folder, an annotation file or images are missing."""


class EmptySplitError(MissingDataError):
    """Raised when a dataset exists but the requested split of it is empty."""


class AnnotationError(UserError, ValueError):
    """Raised when an annotation, or a file name that encodes one, is invalid.

    Args:
        message: What is wrong, where, what was expected and what to do.
        faults: Every single fault, where there are several of a kind.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class UnreadableImageError(UserError, ValueError):
    """Raised when an image file exists but can't be decoded."""


class CountMismatchError(UserError, ValueError):
    """Raised when the counts of a dataset differ from the published ones."""


def list_names(names: Sequence[object], limit: int = 10) -> str:
    """Return the first ``limit`` names on one line, and how many more there are.

    Example:
        >>> list_names(['a', 'b', 'c'], limit=2)
        'a, b and 1 more'
    """
    text = ', '.join(_shorten(str(name)) for name in names[:limit])
    more = len(names) - limit
    return f'{text} and {more:,} more' if more > 0 else text


def list_faults(faults: Sequence[str], limit: int = 10) -> str:
    """Return the first ``limit`` faults on a line each, and how many more there are.

    Example:
        >>> print(list_faults(['entry 0: no id', 'entry 7: no id'], limit=1))
          entry 0: no id
          and 1 more
    """
    more = len(faults) - limit
    tail = [f'  and {more:,} more'] if more > 0 else []
    return '\n'.join([*(f'  {_shorten(fault)}' for fault in faults[:limit]), *tail])


def _shorten(text: str) -> str:
    """Cut what a damaged file may have instead of a name: a line of megabytes."""
    return text if len(text) <= _LONGEST else f'{text[:_LONGEST]}...'
