"""A file of scores, which says where they come from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hplreid.utils.atomic_files import write_json
from hplreid.utils.user_error import UserError

PROVENANCE = 'provenance'
"""Key of a file of scores beside the scores; that of an array in an ``.npz``."""


class ScoreFileError(UserError, ValueError):
    """A file isn't one of scores."""


def write_scores(
    path: str | Path, scores: Mapping[str, Any], provenance: Mapping[str, Any]
) -> None:
    """Write scores by name and, under the key ``provenance``, where they come from.

    Args:
        path: The file, whose folder is made.
        scores: By name, ``<benchmark>/<metric>``.
        provenance: Values that JSON can hold.

    Example:
        >>> write_scores('metrics.json', {'market1501/mAP': 89.5}, {'seed': 0})
        >>> read_scores('metrics.json')
        ({'market1501/mAP': 89.5}, {'seed': 0})
    """
    write_json(path, {**scores, PROVENANCE: dict(provenance)})


def read_scores(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what :func:`write_scores` wrote.

    Returns:
        The scores, and where they come from: empty in a file of an older version.

    Raises:
        FileNotFoundError: There is no such file.
        ScoreFileError: It is of another kind.

    Example:
        >>> _ = Path('metrics.json').write_text('{"market1501/mAP": 89.5}')
        >>> read_scores('metrics.json')
        ({'market1501/mAP': 89.5}, {})
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
    except ValueError as error:
        raise ScoreFileError(f"'{path}' is no file of scores: {error}") from error
    if not isinstance(content, dict):
        raise ScoreFileError(
            f"'{path}' is no file of scores: expected an object, got a "
            f'{type(content).__name__}.'
        )
    provenance = content.pop(PROVENANCE, None) or {}
    return content, provenance
