"""Propot's aggregation of prompted prototypes, and the schemes it is compared with."""

import torch
from torch import Tensor, nn

from hplreid.utils.argument_checks import check_one_of

from ..layers.full_precision import full_precision

AGGREGATIONS = ('adaptive', 'sum', 'mean', 'mlp', 'learned')


class PrototypeAggregation(nn.Module):
    """Adds prompted prototypes to the initial one, ``p = pt + sum_k w_k p_k``.

    Propot's APA and the other rows of its Table 5. Those with softmax have weights that
    sum to one:

    * ``'adaptive'``: APA, ``w = softmax_k(pt . p_k)`` (Eq. 5 and 6);
    * ``'sum'``: 1; ``'mean'``: 1 / K;
    * ``'mlp'``: ``softmax_k(MLP(p_k))``, one hidden layer of the same width;
    * ``'learned'``: the softmax of K learnable numbers, equal at the start.

    The paper names the last two without equations.

    Args:
        kind: One of these.
        channels: Width of a prototype, d.
        num_prompted: Prompted prototypes, K.

    Raises:
        ValueError: ``kind`` is none of these.
    """

    def __init__(self, kind: str, channels: int, num_prompted: int) -> None:
        super().__init__()
        check_one_of('aggregation', kind, AGGREGATIONS)
        self.kind = kind
        if kind == 'mlp':
            self.mlp = nn.Sequential(
                nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, 1)
            )
        elif kind == 'learned':
            self.logits = nn.Parameter(torch.zeros(num_prompted))

    def forward(self, initial: Tensor, *prompted: Tensor) -> Tensor:
        """Return prototypes, ``(n, d)``, in full precision.

        Args:
            initial: pt, ``(n, d)``.
            *prompted: ``p_k``, ``(n, d)`` each.
        """
        # Dot products of raw CLIP features, about 100, lose the point in half
        return full_precision(self._aggregate)(initial, *prompted)

    def _aggregate(self, initial: Tensor, *prompted: Tensor) -> Tensor:
        candidates = torch.stack(prompted, dim=1)
        if self.kind == 'sum':
            return initial + candidates.sum(1)
        if self.kind == 'mean':
            return initial + candidates.mean(1)
        if self.kind == 'adaptive':
            scores = candidates @ initial.unsqueeze(2)
        elif self.kind == 'mlp':
            scores = self.mlp(candidates)
        else:
            scores = self.logits.to(candidates).view(1, -1, 1)
        return initial + (scores.softmax(dim=1) * candidates).sum(1)
