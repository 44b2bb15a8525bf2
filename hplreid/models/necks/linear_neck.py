"""A linear map to another width."""

from torch import Tensor, nn

from hplreid.registry import NECKS
from hplreid.structures.feature_form import TOKENS, VECTOR
from hplreid.utils.argument_checks import check_count

from .base_neck import BaseNeck


@NECKS.register_module()
class LinearNeck(BaseNeck):
    """Projects vectors, or each token of a sequence, to another width.

    With it the image tower can be one that no text tower was trained with: what is
    compared with captions or prompts must be as wide as they are.

    Args:
        in_channels: C.
        out_channels: Width of the new feature.
        bias: Whether there is one. Defaults to False, as at the end of CLIP's towers.

    Raises:
        ValueError: A width isn't an integer above 0.
    """

    takes = ((VECTOR, TOKENS),)
    makes = None

    def __init__(self, in_channels: int, out_channels: int, bias: bool = False) -> None:
        super().__init__()
        check_count('in_channels', in_channels)
        check_count('out_channels', out_channels)
        self.out_channels = out_channels
        self.linear = nn.Linear(in_channels, out_channels, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``features`` ``(..., C)`` projected, ``(..., out_channels)``."""
        return self.linear(features)
