"""Scores that others have published for a method, from the metafile of its config."""

from pathlib import Path
from typing import Any

import yaml

from .rows import NoResultsError, ResultRow, Score

METAFILE = 'metafile.yml'


def find_published(config: str | Path, name: str | None = None) -> ResultRow | None:
    """Find the published scores of the method that a config reproduces.

    They stand in the metafile beside the config, under ``Published``: ``Source``, who
    published them, and ``Scores``, by benchmark and metric, in percent.

    Args:
        config: The config file.
        name: Name of the row; defaults to the config's.

    Returns:
        The row; None if there is no metafile, or none are listed for this config.

    Raises:
        NoResultsError: The metafile can't be read.

    Example:
        >>> text = '''
        ... Models:
        ...   - Name: hpl
        ...     Published: { Source: the paper, Scores: { market1501: { R1: 95.99 } } }
        ... '''
        >>> _ = Path('metafile.yml').write_text(text)
        >>> row = find_published('hpl.py')
        >>> row.source, str(row.scores['market1501/R1'])
        ('the paper', '95.99')
        >>> find_published('other.py') is None
        True
    """
    config = Path(config)
    path = config.parent / METAFILE
    if not path.is_file():
        return None
    try:
        models = yaml.safe_load(path.read_text(encoding='utf-8'))['Models']
        found: dict[str, Any] = next(
            (m for m in models if m['Name'] == config.stem), {}
        )
        published = found.get('Published')
        if published is None:
            return None
        scores = {
            f'{benchmark}/{metric}': Score(float(value))
            for benchmark, own in published['Scores'].items()
            for metric, value in own.items()
        }
        source = str(published['Source'])
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise NoResultsError(
            f"'{path}' is malformed: expected Models, each with a Name, and where "
            f'scores are published, Published with Source and Scores ({error!r}).'
        ) from error
    return ResultRow(name or config.stem, scores, source=source)
