"""Identity tokens, and the prompt around them: CLIP-ReID's, and half of HPL's."""

import torch
from mmengine.model import BaseModule
from torch import Tensor

from hplreid.registry import PROMPT_LEARNERS

from .template import PromptTemplate


@PROMPT_LEARNERS.register_module()
class IdentityPromptLearner(BaseModule):
    """Learnable tokens e(y) of each identity, between fixed words.

    `CLIP-ReID <https://arxiv.org/abs/2211.13977>`_, section 3.2; HPL's Eq. 7.

    Args:
        num_ids: Training identities.
        token_table: Token embeddings of the pre-trained text tower,
            ``(vocabulary, D)``, for the fixed words.
        num_id_tokens: Tokens of an identity, k.
        identity_template: The prompt, with the slot ``{id}``.
        id_scope: ``'identity'``: k tokens for each; ``'shared'``: the same k for all.
        context_length: Tokens that the prompt encoder can take.
        pad: See :class:`PromptTemplate`.

    Raises:
        ValueError: ``id_scope`` is neither, or the template doesn't fit.
    """

    def __init__(
        self,
        num_ids: int,
        token_table: Tensor,
        num_id_tokens: int = 4,
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
        self.id_tokens = torch.nn.Parameter(
            torch.randn(rows, num_id_tokens, width) * 0.02
        )
        self.identity_template = PromptTemplate(
            identity_template, {'id': num_id_tokens}, token_table, context_length, pad
        )

    read_by_row = ('id_tokens',)  # for the optimizer

    @property
    def indexed_by(self) -> dict[str, str]:
        """Weights with a row for each identity: those that all share have none."""
        return {} if self.shared else {'id_tokens': 'identity'}

    def tokens_of(self, labels: Tensor) -> Tensor:
        """Return e(y) of identity labels ``(N,)``: ``(N, k, D)``."""
        if self.shared:
            return self.id_tokens.expand(len(labels), -1, -1)
        return self.id_tokens[labels]

    def identity_prompts(self, labels: Tensor) -> tuple[Tensor, int]:
        """Return embeddings ``(N, L, D)`` of the identity-only prompt, and its EOT."""
        prompts = self.identity_template(id=self.tokens_of(labels))
        return prompts, self.identity_template.eot
