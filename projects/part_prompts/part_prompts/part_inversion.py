"""Pseudo-tokens from horizontal stripes of an image."""

from torch import Tensor

from hplreid.models.inversion.base import BaseInversion, OutputProjection
from hplreid.registry import INVERSIONS


@INVERSIONS.register_module()
class PartInversion(BaseInversion):
    """The mean of each of m stripes of patches, mapped to a pseudo-token.

    A pedestrian stands upright, so stripes are about head, body, legs and feet.

    Args:
        in_channels: d.
        out_channels: D.
        num_tokens: Stripes, m; the rows of patches are a multiple of it.
        num_class_tokens: Tokens before the patches; 2 in a Task-Routed Transformer.
        token_norm: See :class:`OutputProjection`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 4,
        num_class_tokens: int = 2,
        token_norm: float | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, num_tokens)
        self.num_class_tokens = num_class_tokens
        self.project = OutputProjection(in_channels, out_channels, token_norm)

    def forward(
        self, tokens: Tensor, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`.

        Raises:
            ValueError: The patches can't be divided into m equal stripes.
        """
        patches = tokens[:, self.num_class_tokens :]
        if patches.shape[1] % self.num_tokens:
            raise ValueError(
                f'{patches.shape[1]} patches make no {self.num_tokens} equal stripes.'
            )
        # Patches come row by row: neighbors in the sequence are a stripe
        stripes = patches.unflatten(1, (self.num_tokens, -1)).mean(2)
        return self.project(stripes)
