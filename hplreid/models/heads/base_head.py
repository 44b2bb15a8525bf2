"""The base class of heads."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Mapping

from mmengine.model import BaseModule
from torch import Tensor

from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import (
    COSTS,
    MAP,
    PSEUDO,
    SHAPES,
    TABLE,
    TOKENS,
    VECTOR,
    FeatureForm,
    find_width_problems,
)
from hplreid.utils.argument_checks import check_not_negative, check_one_of

from ..part import PartError

GROUPS = ('all', 'captioned', 'image_only')
_OF_ROWS = (VECTOR, TOKENS, PSEUDO, MAP, COSTS)


class BaseHead(BaseModule, metaclass=ABCMeta):
    """Reads named features of a batch, returns named, weighted scalars.

    A subclass gives the names it reads to the constructor and implements
    :meth:`terms`; names of losses and weights are dealt with here, once. A head sees
    the global batch, so it is code for one process.

    Args:
        reads: Names of the features and tables that :meth:`terms` asks for. A mapping
            says their kinds as well (see :class:`.FeatureForm`), which are then
            checked when a model is built, as are their widths.
        group: Rows to read: ``'all'``, ``'captioned'`` or ``'image_only'``.
        loss_weight: Factor of every term. Defaults to 1.
        name: Losses are called ``loss_<name>`` or ``loss_<name>_<term>``; to be set
            where two heads of a kind stand together. Defaults to None, the head's
            ``default_name``.

    Raises:
        ValueError: An argument has no legal value.
    """

    default_name: str

    def __init__(
        self,
        reads: Iterable[str] | Mapping[str, str],
        group: str = 'all',
        loss_weight: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__()
        check_one_of('group', group, GROUPS)
        check_not_negative('loss_weight', loss_weight)
        if name is not None and (not isinstance(name, str) or not name):
            raise ValueError(f'name={name!r}: expected a non-empty string or None.')
        self.reads = tuple(dict.fromkeys(_checked_names(reads)))
        self.kinds = {
            name: reads[name] if isinstance(reads, Mapping) else None
            for name in self.reads
        }
        self.group = group
        self.loss_weight = loss_weight
        self.name = self.default_name if name is None else name

    @abstractmethod
    def terms(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return unweighted scalars by term; ``''`` is the only term of a head."""

    def pairs_read(self) -> list[tuple[str, str]]:
        """Return the features of the batch that it reads, and of which rows each."""
        return [(n, self.group) for n, k in self.kinds.items() if k in _OF_ROWS]

    def compared(self) -> list[list[str]]:
        """Return groups of features that must be equally wide."""
        return [[n for n, k in self.kinds.items() if k in (*_OF_ROWS, TABLE)]]

    def find_form_problems(self, forms: Mapping[str, FeatureForm]) -> list[str]:
        """Return a message for each reason that it can't read features.

        Args:
            forms: The forms of at least the names in ``reads``.
        """
        problems = [
            f"reads '{name}', {forms[name]}; expected {kind} {SHAPES[kind]}."
            for name, kind in self.kinds.items()
            if kind is not None and forms[name].kind != kind
        ]
        problems += [
            f"reads '{name}', which is one for all rows; expected one for each."
            for name, kind in self.kinds.items()
            if kind in _OF_ROWS and forms[name].rows is None
        ]
        if problems:
            return problems
        problems = [
            f"reads '{name}' of the rows '{group}', but it is made of the "
            f"'{forms[name].rows}' alone: set group='{forms[name].rows}'."
            for name, group in self.pairs_read()
            if not forms[name].covers(group)
        ]
        for names in self.compared():
            problems += find_width_problems(names, forms)
        return problems

    def loss(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the weighted losses of a batch.

        Args:
            bundle: Offers at least the names in ``reads``, of the global batch.

        Returns:
            Scalars by name; each name starts with ``loss_``.

        Raises:
            KeyError: A name isn't on offer.
            ValueError: A feature doesn't cover the head's rows, or the batch has none.
        """
        return {
            f'loss_{self.name}_{term}' if term else f'loss_{self.name}': (
                value * self.loss_weight
            )
            for term, value in self.terms(bundle).items()
        }

    def select(
        self, bundle: FeatureBundle, feature: str, group: str | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the rows of ``feature`` in ``group`` (the head's), and their labels.

        Raises:
            KeyError: The feature isn't on offer.
            ValueError: It doesn't cover the rows of the group, or the group is empty.
        """
        group = self.group if group is None else group
        value, labels = bundle.select(feature, group)
        if len(value) == 0:
            raise PartError(
                f"{type(self).__name__} '{self.name}' reads '{feature}' of the rows "
                f"'{group}', but this batch has no such rows."
            )
        return value, labels


def vectors(*names: str) -> dict[str, str]:
    """Return the kinds of features that all are vectors, for a head's ``reads``."""
    return dict.fromkeys(names, VECTOR)


def _checked_names(reads: Iterable[str]) -> Iterable[str]:
    for feature in reads:
        if not isinstance(feature, str) or not feature:
            raise ValueError(
                f'{feature!r}: expected the name of a feature, a non-empty string.'
            )
        yield feature
