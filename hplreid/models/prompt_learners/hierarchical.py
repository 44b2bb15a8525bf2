"""The two prompts of HPL: identity only, and hierarchical."""

from torch import Tensor

from hplreid.registry import PROMPT_LEARNERS

from .identity import IdentityPromptLearner
from .template import PromptTemplate


@PROMPT_LEARNERS.register_module()
class HierarchicalPromptLearner(IdentityPromptLearner):
    """Identity tokens e(y), alone in a prompt, and joined with pseudo-tokens.

    Args:
        num_ids: See :class:`IdentityPromptLearner`, also for the arguments not listed.
        token_table: See there.
        num_id_tokens: Tokens of an identity, k.
        num_inst_tokens: Pseudo-tokens of an instance, m.
        template: The hierarchical prompt, with the slots ``{id}`` and ``{inst}``. The
            default is the wording of HPL's Figure 2; its text has no second "a" and no
            full stop.
        identity_template: The identity-only prompt (Eq. 7), with ``{id}``.
        id_scope: See :class:`IdentityPromptLearner`.
        context_length: Tokens that the prompt encoder can take.
        pad: See :class:`PromptTemplate`.

    Raises:
        ValueError: ``id_scope`` is unknown, or a template doesn't fit.
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
        super().__init__(
            num_ids,
            token_table,
            num_id_tokens,
            identity_template,
            id_scope,
            context_length,
            pad,
        )
        slots = {'id': num_id_tokens, 'inst': num_inst_tokens}
        self.hierarchical_template = PromptTemplate(
            template, slots, token_table, context_length, pad
        )

    def hierarchical_prompts(
        self, labels: Tensor, pseudo: Tensor
    ) -> tuple[Tensor, int]:
        """Return embeddings of T with e(y) and pseudo-tokens ``(N, m, D)``; its EOT."""
        prompts = self.hierarchical_template(id=self.tokens_of(labels), inst=pseudo)
        return prompts, self.hierarchical_template.eot
