"""The trainings of a sweep: every combination of some values."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hplreid.utils.user_error import UserError


class GridError(UserError, ValueError):
    """The values of a sweep are malformed."""


@dataclass(frozen=True)
class GridPoint:
    """A training of a sweep.

    Attributes:
        values: The value of each key, as on the command line.
        seed: The random seed.
        folder: Its work folder.
    """

    values: Mapping[str, str]
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """The values in words, without the seed."""
        return ', '.join(f'{key}={value}' for key, value in self.values.items())


def parse_axes(words: Sequence[str]) -> dict[str, list[str]]:
    """Read ``key=v1,v2,...``; a comma within brackets or quotes belongs to a value.

    Raises:
        GridError: A word is malformed, a key or a value comes twice.

    Example:
        >>> parse_axes(['model.tau=0.02,0.06', 'size=[128,64],[256,128]'])
        {'model.tau': ['0.02', '0.06'], 'size': ['[128,64]', '[256,128]']}
    """
    axes: dict[str, list[str]] = {}
    for word in words:
        key, sign, text = word.partition('=')
        values = _split(text)
        if not sign or not all(key.split('.')) or not all(values):
            raise GridError(
                f"'{word}': expected KEY=V1,V2,..., such as "
                'model.heads.align.5.loss_weight=0.2,0.4.'
            )
        if key in axes:
            raise GridError(f"'{key}' is given twice: expected all its values at once.")
        if len(set(values)) < len(values):
            raise GridError(f"'{word}': a value comes twice.")
        axes[key] = values
    return axes


def make_grid(
    axes: Mapping[str, Sequence[str]], seeds: Sequence[int], work_dir: str | Path
) -> list[GridPoint]:
    """List every combination of values with every seed, seeds varying fastest.

    Args:
        axes: The values of each key.
        seeds: The seeds.
        work_dir: The folder of the sweep. A training has the folder
            ``<key=value>/.../seed_<n>`` in it, so that it is found again.

    Raises:
        GridError: There are no values or no seeds, or a seed comes twice.

    Example:
        >>> for point in make_grid({'a.b': ['1', '2']}, [0], 'sweep'):
        ...     print(point.name, point.folder.as_posix())
        a.b=1 sweep/a.b=1/seed_0
        a.b=2 sweep/a.b=2/seed_0
    """
    if not axes or not seeds or len(set(seeds)) < len(seeds):
        raise GridError(
            f'A sweep needs keys with values, and different seeds; got {dict(axes)} '
            f'and seeds {list(seeds)}.'
        )
    points = []
    for combination in itertools.product(*axes.values()):
        values = dict(zip(axes, combination, strict=True))
        parts = [_file_name(f'{key}={value}') for key, value in values.items()]
        points += [
            GridPoint(values, seed, Path(work_dir, *parts, f'seed_{seed}'))
            for seed in seeds
        ]
    folders = [point.folder for point in points]
    if len(set(folders)) < len(folders):
        raise GridError(
            'Two values would have the same folder: they differ in signs alone that a '
            f'folder cannot have: {", ".join(map(str, folders))}.'
        )
    return points


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets and quotes."""
    parts, depth, quote = [''], 0, ''
    for letter in text:
        if quote:
            quote = '' if letter == quote else quote
        elif letter in '"\'':
            quote = letter
        else:
            depth += (letter in '[({') - (letter in '])}')
        if letter == ',' and not depth and not quote:
            parts.append('')
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _file_name(text: str) -> str:
    return re.sub(r'[^\w.=+,()\[\]-]', '_', text)
