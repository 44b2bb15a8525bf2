"""Batch normalization between the metric feature and the classifier."""

import torch
from torch import Tensor, nn

from hplreid.registry import NECKS
from hplreid.utils.argument_checks import check_count

from .base_neck import BaseNeck


@NECKS.register_module()
class BNNeck(BaseNeck):
    """BatchNorm without a shift, so that classes part by direction, not by offset.

    `Bag of Tricks <https://arxiv.org/abs/1903.07071>`_, section 3.4. Metric losses
    read the feature before it, the classifier after it.

    Args:
        in_channels: C.
        init_cfg: As for every MMEngine module. Defaults to None.

    Raises:
        ValueError: ``in_channels`` isn't an integer above 0.
    """

    needs_global_batch = True  # as a neck of a model; in a head it has it anyway

    def __init__(self, in_channels: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        check_count('in_channels', in_channels)
        self.bn = nn.BatchNorm1d(in_channels)
        # A buffer, not a parameter that doesn't ask for a gradient: no stage that
        # unfreezes "all parameters of the head" can set it free.
        del self.bn.bias
        self.bn.register_buffer('bias', torch.zeros(in_channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return the normalized features, ``(N, C)`` as they came.

        Raises:
            ValueError: In training, ``features`` has fewer than two rows.
        """
        if self.training and len(features) < 2:
            raise ValueError(
                'BNNeck needs at least 2 rows in training to estimate a variance, got '
                f'features of shape {tuple(features.shape)}.'
            )
        return self.bn(features)
