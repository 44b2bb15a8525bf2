"""Write files that are either complete or absent, whenever the process dies."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, whose file is renamed to ``path`` at the end.

    The folder is made if it doesn't exist. After an error the temporary file is
    removed, and an older file at ``path`` is as it was.

    Args:
        path: The file to write.

    Example:
        >>> with atomic_path('scores/report.txt') as temporary:
        ...     _ = temporary.write_text('mAP 70.1')
        >>> Path('scores/report.txt').read_text()
        'mAP 70.1'
        >>> [file.name for file in Path('scores').iterdir()]
        ['report.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, content: Mapping[str, object]) -> None:
    """Write results as an indented JSON file.

    Args:
        path: The file; its folder is made if it doesn't exist.
        content: What it is to hold.

    Example:
        >>> write_json('metrics.json', {'market1501/mAP': 89.5})
        >>> print(Path('metrics.json').read_text(), end='')
        {
          "market1501/mAP": 89.5
        }
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
