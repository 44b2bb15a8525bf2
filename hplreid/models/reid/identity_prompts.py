"""Prompts of identities: of those in a batch, and of all, once a stage."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

_CHUNK = 512  # identities whose prompts are encoded at once for the table


class IdentityPrompts:
    """Features of the identity-only prompts: r_y of HPL's Eq. 7, CLIP-ReID's text.

    It holds no weights of its own, only the two modules.

    Args:
        learner: Identity tokens and template.
        encoder: Et~, the text tower.
    """

    def __init__(self, learner: BaseModule, encoder: nn.Module) -> None:
        self.learner = learner
        self.encoder = encoder
        self._table: Tensor | None = None

    def of(self, labels: Tensor) -> Tensor:
        """Return the features of identities ``(N,)``: ``(N, d)``."""
        return self.encoder(*self.learner.identity_prompts(labels))

    def forget(self) -> None:
        """Discard the table, so that it is computed anew when next asked for."""
        self._table = None

    def table(self) -> Tensor:
        """Return the features of all identities, ``(N_id, d)``.

        Computed once a stage while what they depend on is frozen, else anew each time.
        """
        parts = (self.encoder, self.learner)
        live = any(p.requires_grad for part in parts for p in part.parameters())
        if live or self._table is None:
            device = self.learner.id_tokens.device
            labels = torch.arange(self.learner.num_ids, device=device)
            with torch.set_grad_enabled(live):
                table = torch.cat([self.of(chunk) for chunk in labels.split(_CHUNK)])
            if live:
                return table
            # Half precision of a bf16 step would stay for the whole stage
            self._table = table if table.dtype == torch.float64 else table.float()
        return self._table
