"""Named features of a batch, and the rows of the batch that each covers."""

from __future__ import annotations

from torch import Tensor

from hplreid.utils.distributed import (
    gather_counts,
    gather_with_grad,
    get_rank_and_size,
)

ALL, CAPTIONED, IMAGE_ONLY = 'all', 'captioned', 'image_only'


class FeatureBundle:
    """What towers and prompts produced for one batch, by name.

    A feature belongs to a group of rows: ``'all'`` B items, the ``'captioned'`` B_T
    or the ``'image_only'`` B_I. Constant tables (one row an identity, say) are kept
    apart, for they don't belong to the batch.

    Args:
        labels: Identity label of each item, ``(B,)`` int64.
        caption_rows: Items that have a caption, ``(B_T,)`` int64.
        image_only_rows: Items that have none, ``(B_I,)`` int64.
    """

    def __init__(
        self, labels: Tensor, caption_rows: Tensor, image_only_rows: Tensor
    ) -> None:
        self.labels = labels
        self.rows = {CAPTIONED: caption_rows, IMAGE_ONLY: image_only_rows}
        self._features: dict[str, tuple[Tensor, str]] = {}
        self._tables: dict[str, Tensor] = {}

    @property
    def names(self) -> list[str]:
        """Names of all features and tables."""
        return sorted([*self._features, *self._tables])

    def put(self, name: str, value: Tensor, group: str = ALL) -> None:
        """Add a feature ``(len(group), ...)``."""
        self._features[name] = (value, group)

    def put_table(self, name: str, value: Tensor) -> None:
        """Add a table that doesn't depend on the batch."""
        self._tables[name] = value

    def table(self, name: str) -> Tensor:
        """Return a table.

        Raises:
            KeyError: There is no such table; the message lists what is on offer.
        """
        if name not in self._tables:
            raise KeyError(self._missing(name))
        return self._tables[name]

    def group_of(self, name: str) -> str | None:
        """Return the group of rows that a feature covers, None for a table.

        Raises:
            KeyError: There is nothing of that name; the message lists what is on offer.
        """
        if name in self._tables:
            return None
        if name not in self._features:
            raise KeyError(self._missing(name))
        return self._features[name][1]

    def select(self, name: str, group: str = ALL) -> tuple[Tensor, Tensor]:
        """Return the rows of a feature that belong to ``group``, and their labels.

        Raises:
            KeyError: There is no such feature; the message lists what is on offer.
            ValueError: The feature covers fewer rows than ``group``, or there is no
                such group.
        """
        if name not in self._features:
            raise KeyError(self._missing(name))
        if group != ALL and group not in self.rows:
            raise ValueError(
                f"No group of rows '{group}': expected one of "
                f'{[ALL, CAPTIONED, IMAGE_ONLY]}.'
            )
        value, covers = self._features[name]
        labels = self.labels if group == ALL else self.labels[self.rows[group]]
        if covers == group:
            return value, labels
        if covers != ALL:
            raise ValueError(
                f"Feature '{name}' covers the rows '{covers}'; "
                f"the rows '{group}' were asked for."
            )
        return value[self.rows[group]], labels

    def count_rows(self, group: str, equal_shares: bool = True) -> list[int]:
        """Return the number of rows of a group in every process, in order of ranks.

        Args:
            group: The group.
            equal_shares: Whether they are known to be equal, so that nobody is asked.
        """
        own = len(self.labels if group == ALL else self.rows[group])
        if equal_shares:
            return [own] * get_rank_and_size()[1]
        return gather_counts(own, self.labels.device)

    def gather(self, names: set[str], equal_shares: bool = True) -> FeatureBundle:
        """Return the bundle of the global batch: the named features of every rank.

        Gradients flow back to the rank that a row came from. With one process the
        bundle itself is returned.

        Args:
            names: Of features and tables.
            equal_shares: Whether every rank holds as many rows of each group as the
                others, as with the samplers of this package. If not, they are counted.

        Raises:
            KeyError: A name is not on offer; the message lists what is.
        """
        for name in sorted(names):
            if name not in self._features and name not in self._tables:
                raise KeyError(self._missing(name))
        _, world = get_rank_and_size()
        if world == 1:
            return self
        counts = {g: self.count_rows(g, equal_shares) for g in (ALL, *self.rows)}
        gathered = FeatureBundle(
            gather_with_grad(self.labels, counts[ALL]),
            *(
                _offset(self.rows[g], counts[g], counts[ALL])
                for g in (CAPTIONED, IMAGE_ONLY)
            ),
        )
        for name in sorted(names & set(self._features)):
            value, group = self._features[name]
            gathered.put(name, gather_with_grad(value, counts[group]), group)
        gathered._tables = self._tables
        return gathered

    def _missing(self, name: str) -> str:
        return (
            f"No feature '{name}' on offer. This method, with this batch, offers: "
            f'{", ".join(self.names)}.'
        )


def _offset(rows: Tensor, counts: list[int], batches: list[int]) -> Tensor:
    """Rows of each rank, counted in the global batch.

    Not a sum over the gathered rows: ranks may hold the rows of a group at other
    places.

    Args:
        rows: Of a group in this process.
        counts: Rows of the group in each process.
        batches: All rows of each process.
    """
    rank, _ = get_rank_and_size()
    return gather_with_grad(rows + sum(batches[:rank]), counts)
