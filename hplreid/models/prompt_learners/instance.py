"""PromptSG's prompts: one of a single image, and a constant one."""

from mmengine.model import BaseModule
from torch import Tensor

from hplreid.registry import PROMPT_LEARNERS

from .template import PromptTemplate


@PROMPT_LEARNERS.register_module()
class InstancePromptLearner(BaseModule):
    """Fixed words around the pseudo-tokens of an image; it has nothing to learn.

    Args:
        token_table: Token embeddings of the pre-trained text tower,
            ``(vocabulary, D)``, for the fixed words.
        num_inst_tokens: Pseudo-tokens of an image, m; PromptSG has 1.
        template: The composed prompt, with the slot ``{inst}``.
        constant: The prompt for every image, without a slot.
        context_length: Tokens that the prompt encoder can take.

    Raises:
        ValueError: A template doesn't fit.
    """

    def __init__(
        self,
        token_table: Tensor,
        num_inst_tokens: int = 1,
        template: str = 'A photo of a {inst} person.',
        constant: str = 'A photo of a person.',
        context_length: int = 77,
    ) -> None:
        super().__init__()
        self.template = PromptTemplate(
            template, {'inst': num_inst_tokens}, token_table, context_length
        )
        self.constant = PromptTemplate(constant, {}, token_table, context_length)

    def instance_prompts(self, pseudo: Tensor) -> tuple[Tensor, int]:
        """Return embeddings of the prompt with pseudo-tokens ``(N, m, D)``; its EOT."""
        return self.template(inst=pseudo), self.template.eot

    def constant_prompt(self) -> tuple[Tensor, int]:
        """Return embeddings ``(1, L, D)`` of the constant prompt, and its EOT."""
        return self.constant.words_0.unsqueeze(0), self.constant.eot
