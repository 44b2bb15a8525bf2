"""The base class of inversion networks."""

from abc import abstractmethod
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn


class BaseInversion(BaseModule):
    """Image or caption features to m pseudo-tokens in the prompt's embedding space.

    Args:
        in_channels: Width of the tokens that it reads, d.
        out_channels: Width of the prompt's token embeddings, D.
        num_tokens: Pseudo-tokens to make, m.

    Attributes:
        reads_tokens: Whether it reads the sequence at all. If not, ``tokens`` may be
            None, and the tower needn't compute it.
        reads_pooled: Whether it reads the pooled feature. If it reads both, both must
            be of one width.
    """

    reads_tokens = True
    reads_pooled = False

    def __init__(self, in_channels: int, out_channels: int, num_tokens: int) -> None:
        super().__init__()
        if num_tokens < 1:
            raise ValueError(f'num_tokens={num_tokens}: expected at least 1.')
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_tokens = num_tokens

    @abstractmethod
    def forward(
        self,
        tokens: Any,  # noqa: ANN401
        pooled: Tensor,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Invert features to pseudo-tokens.

        Args:
            tokens: The whole sequence, Z_v ``(N, L, d)`` or Z_t; None only for a
                network with ``reads_tokens=False``.
            pooled: Its class token or EOT feature, ``(N, d)``.
            padding: True where a token is padding, ``(N, L)`` bool; None if none is.

        Returns:
            Pseudo-tokens, ``(N, m, D)``.
        """


class OutputProjection(nn.Sequential):
    """Norm and linear map to the embedding space, initialized at the table's scale.

    After the norm a token has about sqrt(d) length, and W ~ N(0, s^2) makes it
    s sqrt(d) sqrt(D) long: s is chosen so that pseudo-tokens start as long as CLIP's
    token embeddings are on average (about 0.4).

    Args:
        in_channels: d.
        out_channels: D.
        token_norm: Length to start at; None leaves PyTorch's default.
    """

    def __init__(
        self, in_channels: int, out_channels: int, token_norm: float | None
    ) -> None:
        linear = nn.Linear(in_channels, out_channels)
        if token_norm is not None:
            std = token_norm / (in_channels * out_channels) ** 0.5
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
        super().__init__(nn.LayerNorm(in_channels), linear)
