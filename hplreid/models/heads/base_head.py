"""The base class of heads."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Mapping

from mmengine.model import BaseModule
from torch import Tensor

from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import (
    SCALAR,
    TABLE,
    VECTOR,
    FeatureForm,
    find_width_problems,
)
from hplreid.utils.argument_checks import check_not_negative, check_one_of

GROUPS = ('all', 'captioned', 'image_only')


class BaseHead(BaseModule, metaclass=ABCMeta):
    """Reads named features of a batch, returns named, weighted scalars.

    A subclass gives the names it reads to the constructor and implements
    :meth:`terms`; names of losses and weights are dealt with here, once. A head sees
    the global batch, so it is code for one process.

    Args:
        reads: Names of the features and tables that :meth:`terms` asks for: vectors,
            or of the kinds that a mapping says (see :class:`.FeatureForm`).
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
            name: reads[name] if isinstance(reads, Mapping) else VECTOR
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
        constant = (TABLE, SCALAR)
        return [(n, self.group) for n, k in self.kinds.items() if k not in constant]

    def compared(self) -> list[list[str]]:
        """Return groups of features that must be equally wide."""
        return [[name for name, kind in self.kinds.items() if kind != SCALAR]]

    def find_form_problems(self, forms: Mapping[str, FeatureForm]) -> list[str]:
        """Return a message for each reason that it can't read features.

        Args:
            forms: The forms of at least the names in ``reads``.
        """
        problems = [
            f"reads '{name}', {forms[name]}; expected {kind}."
            for name, kind in self.kinds.items()
            if forms[name].kind != kind
        ]
        if problems:
            return problems
        problems = [
            f"reads '{name}' of the rows '{group}', but it is made of "
            f"'{forms[name].rows}' alone."
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
            raise ValueError(
                f"{type(self).__name__} '{self.name}' reads '{feature}' of the rows "
                f"'{group}', but this batch has no such rows."
            )
        return value, labels


def _checked_names(reads: Iterable[str]) -> Iterable[str]:
    for feature in reads:
        if not isinstance(feature, str) or not feature:
            raise ValueError(
                f'{feature!r}: expected the name of a feature, a non-empty string.'
            )
        yield feature
