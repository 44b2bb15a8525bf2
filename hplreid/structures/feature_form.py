"""The form of a feature: its kind, how wide it is, and which rows it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .feature_bundle import ALL

VECTOR, TOKENS, MAP, PSEUDO = 'vector', 'tokens', 'map', 'pseudo-tokens'
IDS, PLACE, COSTS = 'ids', 'place', 'costs'
TABLE, SCALAR = 'table', 'scalar'

SHAPES = {
    VECTOR: '(B, C)',
    TOKENS: '(B, N, C)',
    MAP: '(B, C, H, W)',
    PSEUDO: '(B, m, C)',
    IDS: '(B, L) of token ids',
    PLACE: '(B,) of places in a sequence',
    COSTS: '(B, 2), a sum and a number',
    TABLE: '(rows, C), the same for every batch',
    SCALAR: 'one number',
}
"""The kinds of features, and their shapes."""


@dataclass(frozen=True)
class FeatureForm:
    """What can be known of a feature before any batch is seen.

    Methods say the forms of what they offer, necks and heads what they take, so that
    parts that don't fit are found when a model is built.

    Args:
        kind: One of :data:`SHAPES`.
        width: Size of its last dimension, a map's channels; None where nobody knows.
        rows: The group of rows that it covers; None for what is no part of a batch.

    Example:
        >>> from hplreid.structures.feature_form import FeatureForm
        >>> print(FeatureForm('tokens', 512))
        tokens (B, N, C), C = 512
    """

    kind: str
    width: int | None = None
    rows: str | None = ALL

    def __post_init__(self) -> None:
        if self.kind not in SHAPES:
            raise ValueError(f'kind={self.kind!r}: expected one of {list(SHAPES)}.')

    def __str__(self) -> str:
        width = '' if self.width is None else f', C = {self.width}'
        return f'{self.kind} {SHAPES[self.kind]}{width}'

    def covers(self, group: str) -> bool:
        """Return whether the rows of ``group`` are among those that it covers."""
        return self.rows in (ALL, group)


def forms_by_name(widths: dict[str, int]) -> dict[str, FeatureForm]:
    """Return the forms of a tower's features, whose names tell their kinds.

    ``map`` is a map; a name that ends in ``tokens`` or ``hidden`` is a sequence; any
    other is a vector.

    Example:
        >>> from hplreid.structures.feature_form import forms_by_name
        >>> [str(form) for form in forms_by_name(dict(v=8, image_tokens=8)).values()]
        ['vector (B, C), C = 8', 'tokens (B, N, C), C = 8']
    """
    return {name: FeatureForm(_kind_of(name), w) for name, w in widths.items()}


def find_width_problems(
    names: Sequence[str], forms: Mapping[str, FeatureForm]
) -> list[str]:
    """Return a message if features that must be equally wide are not.

    Args:
        names: The features.
        forms: The forms of at least those.
    """
    widths = {name: forms[name].width for name in names}
    known = [width for width in widths.values() if width is not None]
    if len(set(known)) < 2:
        return []
    listed = ', '.join(f"'{name}' is {width}" for name, width in widths.items())
    return [
        f'reads features of different widths: {listed}. Make them equal, by a neck '
        f"dict(type='LinearNeck', reads='{names[0]}', out_channels={known[-1]}) say, "
        'whose feature is read instead.'
    ]


def common_rows(names: Sequence[str], forms: Mapping[str, FeatureForm]) -> str:
    """Return the group of rows that features, or what is made of them, cover."""
    rows = (forms[name].rows for name in names)
    return next((group for group in rows if group not in (None, ALL)), None) or ALL


def _kind_of(name: str) -> str:
    if name == 'map':
        return MAP
    return TOKENS if name.endswith(('tokens', 'hidden')) else VECTOR
