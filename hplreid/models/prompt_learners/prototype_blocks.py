"""Propot's prompting blocks: by domain, and by the instances of a batch."""

import torch
from torch import Tensor, nn

from hplreid.utils.argument_checks import check_count, check_divides

MODALITIES = ('image', 'text')


class DomainPrompting(nn.Module):
    """DPP: learnable vectors of an identity adapt its prototype to the task.

    Propot, Eq. 2: ``p_a``, the last token of ``SAE([X_1 .. X_K, pt_y])``. The vectors X
    are each identity's and each modality's own; the self-attention block is one for
    both modalities, as the published number of parameters tells.

    Args:
        num_ids: Training identities.
        channels: Width of a prototype, d.
        num_vectors: K.
        depth: Blocks, N_a.
        num_heads: Attention heads.

    Raises:
        ValueError: A number isn't an integer above 0, or ``num_heads`` doesn't divide
            ``channels``.
    """

    indexed_by = {'vectors': 'identity'}
    read_by_row = ('vectors',)  # for the optimizer

    def __init__(
        self,
        num_ids: int,
        channels: int,
        num_vectors: int = 4,
        depth: int = 1,
        num_heads: int = 8,
    ) -> None:
        super().__init__()
        check_count('num_vectors', num_vectors)
        check_count('depth', depth)
        check_divides('num_heads', num_heads, channels)
        self.vectors = nn.ParameterDict(
            {m: torch.randn(num_ids, num_vectors, channels) * 0.02 for m in MODALITIES}
        )
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                channels,
                num_heads,
                dim_feedforward=4 * channels,
                dropout=0.0,
                activation='gelu',
                batch_first=True,
                norm_first=True,
            )
            for _ in range(depth)
        )

    def forward(
        self, modality: str, prototypes: Tensor, labels: Tensor | None
    ) -> Tensor:
        """Return ``p_a`` of initial prototypes, ``(n, d)`` both.

        Args:
            modality: ``'image'`` or ``'text'``.
            prototypes: ``(n, d)``.
            labels: Their identities, ``(n,)`` int64; None for all, in order.
        """
        vectors = self.vectors[modality]
        if labels is not None:
            vectors = vectors[labels]
        x = torch.cat([vectors.to(prototypes.dtype), prototypes.unsqueeze(1)], dim=1)
        for block in self.blocks:
            x = block(x)
        return x[:, -1]


class CrossAttentionBlock(nn.Module):
    """Attention from prototypes to instances, then an MLP (ratio 4, GELU), pre-norm.

    Prototypes are means of such instances, so one norm serves both: a second one would
    be seen in the published number of parameters.

    Args:
        channels: Width, d.
        num_heads: Attention heads.
    """

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, num_heads)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )

    def forward(self, prototypes: Tensor, instances: Tensor) -> Tensor:
        """Return prototypes ``(n, d)`` after attention to instances ``(B, d)``."""
        keys = self.norm1(instances)
        attended, _ = self.attention(
            self.norm1(prototypes), keys, keys, need_weights=False
        )
        x = prototypes + attended
        return x + self.mlp(self.norm2(x))


class InstancePrompting(nn.Module):
    """IPP: a prototype attends to the instances of a batch, of either modality.

    Propot, Eq. 3 and 4: ``CAD(pt, instances)``. One decoder serves both modalities and
    both kinds of instances, and its blocks share their weights, as the published
    numbers of parameters and operations tell together.

    Args:
        channels: Width of a prototype, d.
        depth: Blocks, N_e.
        num_heads: Attention heads.
        share_blocks: Whether the blocks are one, gone through ``depth`` times.

    Raises:
        ValueError: ``depth`` or ``num_heads`` isn't an integer above 0, or
            ``num_heads`` doesn't divide ``channels``.
    """

    def __init__(
        self,
        channels: int,
        depth: int = 3,
        num_heads: int = 8,
        share_blocks: bool = True,
    ) -> None:
        super().__init__()
        check_count('depth', depth)
        check_divides('num_heads', num_heads, channels)
        self.repeats = depth if share_blocks else 1
        self.blocks = nn.ModuleList(
            CrossAttentionBlock(channels, num_heads)
            for _ in range(1 if share_blocks else depth)
        )

    def forward(self, prototypes: Tensor, instances: Tensor) -> Tensor:
        """Return ``(n, d)`` of prototypes ``(n, d)`` and instances ``(B, d)``."""
        x, instances = prototypes, instances.to(prototypes.dtype)
        for _ in range(self.repeats):
            for block in self.blocks:
                x = block(x, instances)
        return x
