"""Inversion of the pooled feature alone: PromptSG's MLP and GET's linear map."""

from torch import Tensor, nn

from hplreid.registry import INVERSIONS

from .base import BaseInversion

_ACTIVATIONS = {'relu': nn.ReLU, 'gelu': nn.GELU}


@INVERSIONS.register_module()
class MLPInversion(BaseInversion):
    """Three linear layers, then batch norm (PromptSG).

    Args:
        in_channels: d.
        out_channels: D.
        num_tokens: m; PromptSG makes 1.
        hidden_channels: Width of the two hidden layers.
        activation: ``'relu'`` (Pic2Word) or ``'gelu'`` (SEARLE).
        token_norm: Length of a pseudo-token to start at, set by the batch norm's
            weight: a normalized token is about sqrt(D) long.

    Raises:
        ValueError: No such activation.
    """

    reads_tokens = False
    reads_pooled = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 1,
        hidden_channels: int = 512,
        activation: str = 'relu',
        token_norm: float | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, num_tokens)
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation='{activation}': expected one of {sorted(_ACTIVATIONS)}."
            )
        act = _ACTIVATIONS[activation]
        norm = nn.BatchNorm1d(num_tokens * out_channels)
        if token_norm is not None:
            nn.init.constant_(norm.weight, token_norm / out_channels**0.5)
        self.layers = nn.Sequential(
            nn.Linear(in_channels, hidden_channels),
            act(),
            nn.Linear(hidden_channels, hidden_channels),
            act(),
            nn.Linear(hidden_channels, num_tokens * out_channels),
            norm,
        )

    def forward(
        self, tokens: Tensor | None, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`; the sequence is not used."""
        return self.layers(pooled).unflatten(1, (self.num_tokens, self.out_channels))


@INVERSIONS.register_module()
class LinearInversion(BaseInversion):
    """One linear layer from the pooled feature to m tokens (GET; there m is 7).

    Args:
        in_channels: d.
        out_channels: D.
        num_tokens: m.
        token_norm: Length of a pseudo-token to start at, for a pooled feature of
            length 1.
    """

    reads_tokens = False
    reads_pooled = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_tokens: int = 7,
        token_norm: float | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, num_tokens)
        self.linear = nn.Linear(in_channels, num_tokens * out_channels)
        if token_norm is not None:
            nn.init.normal_(self.linear.weight, std=token_norm / out_channels**0.5)
            nn.init.zeros_(self.linear.bias)

    def forward(
        self, tokens: Tensor | None, pooled: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """See :class:`BaseInversion`; the sequence is not used."""
        return self.linear(pooled).unflatten(1, (self.num_tokens, self.out_channels))
