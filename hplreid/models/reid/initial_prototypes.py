"""A prototype of each identity, from features of the whole training set."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hplreid.utils.argument_checks import check_one_of

PROTOTYPES = ('prototypes_image', 'prototypes_text')

Labeled = Mapping[str, tuple[Tensor, Tensor]]
"""Features ``(N, d)`` by name, and the identity of each row, ``(N,)`` int64."""


class InitialPrototypes(nn.Module):
    """Initial prototypes: mean features of an identity from towers before training.

    Propot, Eq. 1: the sum of its instance features, for images and for captions. They
    are buffers, so that a checkpoint keeps them: by then the towers have changed.

    Args:
        num_ids: Training identities.
        channels: Width of the features, d.
        reduce: ``'sum'``, or ``'mean'``: dot products of prototypes then don't grow
            with the number of an identity's images.
        image: Feature of images.
        text: Feature of captions.

    Raises:
        ValueError: ``reduce`` is neither.
    """

    # Without its prototypes the table isn't filled
    indexed_by = dict.fromkeys((*PROTOTYPES, 'filled'), 'identity')
    filled: Tensor

    def __init__(
        self,
        num_ids: int,
        channels: int,
        reduce: str = 'mean',
        image: str = 'v',
        text: str = 't',
    ) -> None:
        super().__init__()
        check_one_of('prototypes', reduce, ('mean', 'sum'))
        self.reduce = reduce
        self.reads = dict(zip(PROTOTYPES, (image, text), strict=True))
        for name in PROTOTYPES:
            self.register_buffer(name, torch.zeros(num_ids, channels))
        self.register_buffer('filled', torch.tensor(False))
        self._known = False  # asking the buffer each step would wait for the device

    def fill(self, features: Labeled) -> None:
        """Compute the prototypes; an identity without a caption has zeros.

        Raises:
            ValueError: A feature is missing.
        """
        missing = [f for f in self.reads.values() if f not in features]
        if missing:
            raise ValueError(
                f'init_features: {list(features)} lack {missing}, of which initial '
                'prototypes are made.'
            )
        for name, feature in self.reads.items():
            table: Tensor = getattr(self, name)
            values, labels = features[feature]
            # Where the features are, the CPU: there sums have an order
            sums = values.new_zeros(table.shape).index_add_(0, labels, values)
            if self.reduce == 'mean':
                ones = values.new_ones(len(values), 1)
                count = values.new_zeros(len(table), 1).index_add_(0, labels, ones)
                sums = sums / count.clamp(min=1)
            table.copy_(sums)
        self.filled.fill_(True)
        self._known = True

    def tables(self) -> dict[str, Tensor]:
        """Return the prototypes by the name of their table, ``(num_ids, d)`` each.

        Raises:
            RuntimeError: Nobody has filled them.
        """
        self._known = self._known or bool(self.filled)
        if not self._known:
            raise RuntimeError(
                'There are no initial prototypes yet: the first stage that reads them '
                f'needs init_features=dict(names={list(self.reads.values())}, ...).'
            )
        return {name: getattr(self, name) for name in PROTOTYPES}
