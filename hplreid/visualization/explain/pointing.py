"""The pointing game: how much relevance falls on what is known to be there.

`Top-down Neural Attention by Excitation Backprop <https://arxiv.org/abs/1608.00507>`_
(Zhang et al., 2016) asks whether the most relevant place is on the object; the share of
relevance on it says more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Pointing:
    """Where the relevance of images falls.

    Attributes:
        shares: Share of relevance on the mask, ``(B,)``.
        hits: Whether the most relevant patch shows any of the mask, ``(B,)`` bool.
        area: Share of the image that the mask is, ``(B,)``: the ``shares`` of a map
            that is the same everywhere.
    """

    shares: Tensor
    hits: Tensor
    area: Tensor


def point(maps: Tensor, masks: Tensor) -> Pointing:
    """Play the pointing game.

    Relevance is taken to be spread evenly over each patch.

    Args:
        maps: Shares of relevance, ``(B, rows, columns)``, each summing to 1.
        masks: Where the object is, ``(B, h, w)`` bool, at any resolution.

    Example:
        >>> import torch
        >>> maps = torch.tensor([[[0.75, 0.25]]])
        >>> mask = torch.tensor([[[True, False, False, False]]])
        >>> point(maps, mask)
        Pointing(shares=tensor([0.3750]), hits=tensor([True]), area=tensor([0.2500]))
    """
    grid = maps.shape[1], maps.shape[2]
    cover = F.adaptive_avg_pool2d(masks.to(maps)[:, None], grid)[:, 0]
    best = maps.flatten(1).argmax(dim=1, keepdim=True)
    return Pointing(
        (maps * cover).sum(dim=(1, 2)),
        cover.flatten(1).gather(1, best)[:, 0] > 0,
        masks.float().mean(dim=(1, 2)),
    )
