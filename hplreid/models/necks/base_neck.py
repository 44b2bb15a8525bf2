"""The base class of necks: what each takes and makes."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule

from hplreid.structures.feature_form import (
    TOKENS,
    VECTOR,
    FeatureForm,
    find_width_problems,
)


class BaseNeck(BaseModule):
    """Makes one feature of one or several others, in training and at test.

    Attributes:
        takes: The kinds that each input may have, in the order of ``forward``.
        num_optional: How many inputs at the end may be left out.
        makes: The kind of what it makes; None for that of its first input.
        needs_global_batch: Whether it sees the rows of all processes in training.
        out_channels: Width of what it makes; None for that of its first input.
    """

    takes: tuple[tuple[str, ...], ...] = ((VECTOR,),)
    num_optional = 0
    makes: str | None = VECTOR
    needs_global_batch = False
    out_channels: int | None = None

    @classmethod
    def find_form_problems(
        cls, names: Sequence[str], forms: Mapping[str, FeatureForm]
    ) -> list[str]:
        """Return a message for each reason that it can't take features.

        Args:
            names: What it is to read, in order.
            forms: The forms of at least those.
        """
        least, most = len(cls.takes) - cls.num_optional, len(cls.takes)
        if not least <= len(names) <= most:
            wanted = [' or '.join(kinds) for kinds in cls.takes]
            return [
                f'reads {list(names)}: expected '
                f'{most if least == most else f"{least} to {most}"}, '
                f'{", then ".join(wanted)}.'
            ]
        problems = [
            f"reads '{name}', {forms[name]}; expected {' or '.join(kinds)}."
            for name, kinds in zip(names, cls.takes, strict=False)
            if forms[name].kind not in kinds
        ]
        compared = [n for n in names if forms[n].kind in (VECTOR, TOKENS)]
        return problems + find_width_problems(compared, forms)

    def form_of(self, first: FeatureForm, rows: str) -> FeatureForm:
        """Return the form of what it makes.

        Args:
            first: The form of its first input.
            rows: The group of rows that all its inputs cover.
        """
        return FeatureForm(
            self.makes or first.kind, self.out_channels or first.width, rows
        )


def names_read(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of what a neck is given, by its config.

    Example:
        >>> names_read(dict(type='BNNeck', reads='v'))
        ('v',)
    """
    reads = config.get('reads') or ()
    return (reads,) if isinstance(reads, str) else tuple(reads)
