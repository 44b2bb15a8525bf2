"""The endings of image files."""

import os
from collections import Counter
from collections.abc import Iterable

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def check_suffix(suffix: str | None) -> None:
    """Check the option ``suffix`` of a dataset.

    Raises:
        ValueError: It is no ending of image files.
    """
    if suffix is not None and suffix not in SUFFIXES:
        raise ValueError(
            f'suffix must be one of {", ".join(SUFFIXES)}, or None for the '
            f"benchmark's own; got {suffix!r}."
        )


def with_suffix(name: str, suffix: str | None) -> str:
    """Return a file name with another ending.

    Example:
        >>> with_suffix('a/1.2.jpg', '.png'), with_suffix('a.jpg', None)
        ('a/1.2.png', 'a.jpg')
    """
    return name if suffix is None else os.path.splitext(name)[0] + suffix


def find_suffix(names: Iterable[str]) -> str | None:
    """Return the most frequent ending of image files; None if there is none.

    Example:
        >>> find_suffix(['a.png', 'b.PNG', 'c.jpg', 'list.txt'])
        '.png'
    """
    endings = Counter(
        ending
        for name in names
        if (ending := os.path.splitext(name)[1].lower()) in SUFFIXES
        and not name.startswith('.')
    )
    return endings.most_common(1)[0][0] if endings else None
