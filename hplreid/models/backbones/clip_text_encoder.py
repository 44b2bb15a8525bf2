"""CLIP's text transformer, once for captions and once for composed prompts."""

from collections.abc import Collection

import torch
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from hplreid.registry import BACKBONES

from ..layers.residual_block import run_clip_block
from .arch import build_text_tower
from .tower import Tower, any_read, find_execution_problems
from .weights import load_tower, read_weights


class _TextTower(Tower):
    """The text transformer after its token embedding.

    Args:
        arch: open_clip name of the architecture.
        pretrained: See :func:`find_weights`; None for random weights.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.
    """

    has_clip_arch = True
    read_by_row = ('text.positional_embedding',)  # for the optimizer
    with_table: bool  # whether it keeps the token table

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        checkpoint_blocks: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__(checkpoint_blocks, compiled)
        self.text: TextTransformer = build_text_tower(arch)
        if not self.with_table:
            del self.text.token_embedding
        self.width = self.text.positional_embedding.shape[1]
        self.embed_dim = self.text.text_projection.shape[1]
        self.context_length = self.text.context_length
        if pretrained is not None:
            path, state = read_weights(arch, pretrained)
            load_tower(
                self.text, state, name=type(self).__name__, source=path, notes=[]
            )

    @classmethod
    def find_problems(cls, compiled: bool = False, **_: object) -> list[str]:
        """Return a message for each problem that keeps this tower from being built."""
        return find_execution_problems(compiled)

    def run_blocks(self, x: Tensor) -> Tensor:
        """Add positions to embeddings ``(N, L, D)``; run all blocks but the last."""
        x = x + self.text.positional_embedding[: x.shape[1]]
        for block in self.text.transformer.resblocks[:-1]:
            x = self.run(run_clip_block, block, x, causal=True)
        return x

    @property
    def last_block(self) -> nn.Module:
        """The block after those of :meth:`run_blocks`."""
        return self.text.transformer.resblocks[-1]

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x`` after the last norm, and projected to the joint space."""
        hidden = self.text.ln_final(x)
        return hidden, hidden @ self.text.text_projection


@BACKBONES.register_module()
class CLIPTextEncoder(_TextTower):
    """E_t: captions to token sequences and their EOT feature.

    Args:
        arch: open_clip name of the architecture.
        pretrained: A file, a shipped or an open_clip tag; None for random weights.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.
    """

    encodes = 'captions'
    with_table = True

    @property
    def token_table(self) -> Tensor:
        """The token embeddings, ``(vocabulary, D)``."""
        return self.text.token_embedding.weight

    def forward(
        self, captions: Tensor, reads: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Encode captions.

        Where no sequence is read, the last block runs for the EOT alone. Its feature,
        and all gradients, are the same but for rounding.

        Args:
            captions: ``(B_T, L)`` int64 token ids, L at most the context length. The
                EOT is the largest id, so its place is the argmax. What follows it
                changes nothing before it (the attention is causal).
            reads: See :class:`Tower`.

        Returns:
            ``text_tokens`` ``(B_T, L, d)``: Z_t, projected; ``text_hidden``
            ``(B_T, L, D)``: the same before the projection, both where one of them is
            read; ``t`` ``(B_T, d)``: the EOT feature; ``eot`` ``(B_T,)``: its place.
        """
        x = self.run_blocks(self.text.token_embedding(captions))
        eot = captions.argmax(dim=1)
        rows = torch.arange(eot.shape[0], device=eot.device)
        if any_read(reads, 'text_tokens', 'text_hidden'):
            hidden, tokens = self.project(
                self.run(run_clip_block, self.last_block, x, causal=True)
            )
            t = tokens[rows, eot]
            return {'text_tokens': tokens, 'text_hidden': hidden, 't': t, 'eot': eot}
        places = torch.arange(captions.shape[1], device=eot.device)
        seen = (places <= eot.unsqueeze(1))[:, None, None]
        query = x[rows, eot].unsqueeze(1)
        x = self.run(run_clip_block, self.last_block, x, query, seen)
        return {'t': self.project(x.squeeze(1))[1], 'eot': eot}


@BACKBONES.register_module()
class CLIPPromptEncoder(_TextTower):
    """Et~: composed prompts, given as embeddings, to the feature of their EOT.

    It has no token table: the fixed words of a prompt are embedded once, by the prompt
    learner.

    Args:
        arch: open_clip name of the architecture.
        pretrained: A file, a shipped or an open_clip tag; None for random weights.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.
    """

    encodes = 'prompts'
    with_table = False

    def forward(self, prompts: Tensor, eot: int) -> Tensor:
        """Encode prompts ``(N, L, D)`` whose EOT is at ``eot``; return ``(N, d)``."""
        # Nothing else is read: the last block runs for the EOT, which sees what is
        # before it and itself
        x = self.run_blocks(prompts)[:, : eot + 1]
        x = self.run(run_clip_block, self.last_block, x, x[:, eot:])
        return self.project(x.squeeze(1))[1]


def mean_token_norm(table: nn.Parameter | Tensor) -> float:
    """Return the mean L2 norm of a table's rows."""
    # Summed in float64, where the number of threads doesn't move the result: every
    # process must initialize alike
    return table.detach().norm(dim=1, dtype=torch.float64).mean().item()
