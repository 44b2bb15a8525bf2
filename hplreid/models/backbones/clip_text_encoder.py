"""CLIP's text transformer, once for captions and once for composed prompts."""

import torch
from mmengine.model import BaseModule
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from hplreid.registry import BACKBONES

from .arch import build_text_tower
from .weights import load_tower, read_weights


class _TextTower(BaseModule):
    """The text transformer after its token embedding.

    Args:
        arch: open_clip name of the architecture.
        pretrained: See :func:`find_weights`; None for random weights.
        with_table: Keep the token table.
    """

    def __init__(self, arch: str, pretrained: str | None, with_table: bool) -> None:
        super().__init__()
        self.text: TextTransformer = build_text_tower(arch)
        if not with_table:
            del self.text.token_embedding
        self.width = self.text.positional_embedding.shape[1]
        self.embed_dim = self.text.text_projection.shape[1]
        self.context_length = self.text.context_length
        if pretrained is not None:
            path, state = read_weights(arch, pretrained)
            load_tower(
                self.text, state, name=type(self).__name__, source=path, notes=[]
            )

    def run_blocks(self, x: Tensor) -> Tensor:
        """Add positions to embeddings ``(N, L, D)``, run the causal transformer."""
        length = x.shape[1]
        x = x + self.text.positional_embedding[:length]
        return self.text.transformer(x, attn_mask=self.text.attn_mask[:length, :length])


@BACKBONES.register_module()
class CLIPTextEncoder(_TextTower):
    """E_t: captions to token sequences and their EOT feature.

    Args:
        arch: open_clip name of the architecture.
        pretrained: A file, a shipped or an open_clip tag; None for random weights.
    """

    def __init__(self, arch: str, pretrained: str | None = None) -> None:
        super().__init__(arch, pretrained, with_table=True)

    @property
    def token_table(self) -> Tensor:
        """The token embeddings, ``(vocabulary, D)``."""
        return self.text.token_embedding.weight

    def forward(self, captions: Tensor) -> dict[str, Tensor]:
        """Encode captions.

        Args:
            captions: ``(B_T, L)`` int64 token ids, L at most the context length. The
                EOT is the largest id, so its place is the argmax. What follows it
                changes nothing before it (the attention is causal).

        Returns:
            ``text_tokens`` ``(B_T, L, d)``: Z_t, projected; ``text_hidden``
            ``(B_T, L, D)``: the same before the projection; ``t`` ``(B_T, d)``: the EOT
            feature; ``eot`` ``(B_T,)``: its place.
        """
        x = self.run_blocks(self.text.token_embedding(captions))
        hidden = self.text.ln_final(x)
        tokens = hidden @ self.text.text_projection
        eot = captions.argmax(dim=1)
        t = tokens[torch.arange(len(eot), device=eot.device), eot]
        return {'text_tokens': tokens, 'text_hidden': hidden, 't': t, 'eot': eot}


@BACKBONES.register_module()
class CLIPPromptEncoder(_TextTower):
    """Et~: composed prompts, given as embeddings, to the feature of their EOT.

    It has no token table: the fixed words of a prompt are embedded once, by the prompt
    learner.

    Args:
        arch: open_clip name of the architecture.
        pretrained: A file, a shipped or an open_clip tag; None for random weights.
    """

    def __init__(self, arch: str, pretrained: str | None = None) -> None:
        super().__init__(arch, pretrained, with_table=False)

    def forward(self, prompts: Tensor, eot: int) -> Tensor:
        """Encode prompts ``(N, L, D)`` whose EOT is at ``eot``; return ``(N, d)``."""
        x = self.run_blocks(prompts)[:, eot]
        return self.text.ln_final(x) @ self.text.text_projection


def mean_token_norm(table: nn.Parameter | Tensor) -> float:
    """Return the mean L2 norm of a table's rows."""
    # Summed in float64, where the number of threads doesn't move the result: every
    # process must initialize alike
    return table.detach().norm(dim=1, dtype=torch.float64).mean().item()
