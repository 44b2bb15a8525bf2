"""Identity tokens and the two prompts of HPL: identity only, and hierarchical."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from hplreid.registry import PROMPT_LEARNERS

from .template import PromptTemplate


@PROMPT_LEARNERS.register_module()
class HierarchicalPromptLearner(BaseModule):
    """Learnable tokens e(y) of each identity, and prompts that hold them.

    Args:
        num_ids: Training identities.
        token_table: Token embeddings of the pre-trained text tower,
            ``(vocabulary, D)``, for the fixed words.
        num_id_tokens: Tokens of an identity, k.
        num_inst_tokens: Pseudo-tokens of an instance, m.
        template: The hierarchical prompt, with the slots ``{id}`` and ``{inst}``. The
            default is the wording of HPL's Figure 2; its text has no second "a" and no
            full stop.
        identity_template: The identity-only prompt (Eq. 7), with ``{id}``.
        id_scope: ``'identity'``: k tokens for each; ``'shared'``: the same k for all.
        context_length: Tokens that the prompt encoder can take.
        pad: See :class:`PromptTemplate`.

    Raises:
        ValueError: ``id_scope`` is neither, or a template doesn't fit.
    """

    def __init__(
        self,
        num_ids: int,
        token_table: Tensor,
        num_id_tokens: int = 4,
        num_inst_tokens: int = 4,
        template: str = 'A photo of a {id} and {inst} person.',
        identity_template: str = 'A photo of a {id} person.',
        id_scope: str = 'identity',
        context_length: int = 77,
        pad: bool = False,
    ) -> None:
        super().__init__()
        if id_scope not in ('identity', 'shared'):
            raise ValueError(f"id_scope='{id_scope}': expected 'identity' or 'shared'.")
        self.num_ids = num_ids
        self.shared = id_scope == 'shared'
        rows = 1 if self.shared else num_ids
        width = token_table.shape[1]
        self.id_tokens = nn.Parameter(torch.randn(rows, num_id_tokens, width) * 0.02)
        slots = {'id': num_id_tokens, 'inst': num_inst_tokens}
        self.hierarchical_template = PromptTemplate(
            template, slots, token_table, context_length, pad
        )
        self.identity_template = PromptTemplate(
            identity_template, {'id': num_id_tokens}, token_table, context_length, pad
        )

    def tokens_of(self, labels: Tensor) -> Tensor:
        """Return e(y) of identity labels ``(N,)``: ``(N, k, D)``."""
        if self.shared:
            return self.id_tokens.expand(len(labels), -1, -1)
        return self.id_tokens[labels]

    def identity_prompts(self, labels: Tensor) -> tuple[Tensor, int]:
        """Return embeddings ``(N, L, D)`` of the identity-only prompt, and its EOT."""
        prompts = self.identity_template(id=self.tokens_of(labels))
        return prompts, self.identity_template.eot

    def hierarchical_prompts(
        self, labels: Tensor, pseudo: Tensor
    ) -> tuple[Tensor, int]:
        """Return embeddings of T with e(y) and pseudo-tokens ``(N, m, D)``; its EOT."""
        prompts = self.hierarchical_template(id=self.tokens_of(labels), inst=pseudo)
        return prompts, self.hierarchical_template.eot
