"""PromptSG: a prompt guides attention to the tokens of an image (CVPR 2024)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_bundle import ALL
from hplreid.structures.feature_form import PSEUDO, VECTOR, FeatureForm
from hplreid.utils.argument_checks import check_one_of

from ..assembly import (
    build_inversion,
    build_prompt_learner,
    measure_text_tower,
    same_weights,
)
from ..backbones.clip_text_encoder import mean_token_norm
from ..part import PartError, build_part
from .image_reid import ImageReID

PROMPTS = ('composed', 'constant')
_COMPOSED = {'pseudo_image', 'prompt_image'}


@MODELS.register_module()
class PromptSG(ImageReID):
    """An image tower, and prompts of single images by a frozen text tower.

    An inversion network makes a pseudo-token of each image, and the text tower a
    feature of the prompt with that token. In training the two are contrasted. What the
    image shows of the prompt, an :class:`InteractionNeck` looks up: it reads
    ``prompt``, which is the composed prompt or a constant one.

    Beside the image tower's features it offers

    * ``prompt`` ``(B, d)``: the prompt that guides, after ``train_prompt`` in training
      and after ``inference`` at test;
    * ``pseudo_image`` s* ``(B, m, D)`` and ``prompt_image`` l ``(B, d)``, the composed
      prompt's feature: where prompts are composed;
    * the table ``prompt_constant`` ``(d,)``, the constant prompt's feature. It is made
      once, when the model is built, and stays in checkpoints: inference with it alone
      has no text tower.

    Args:
        image_encoder: Config of the tower.
        prompt_encoder: Config of the text tower; ``arch`` and ``pretrained`` default to
            the image tower's.
        inversion: Config of the network from ``v`` (or the tokens) to pseudo-tokens.
        prompt_learner: Config of the prompts' words.
        train_prompt: What guides in training: ``'composed'`` or ``'constant'``. With
            the latter no prompt is composed at all, and there is no inversion network.
        inference: What guides at test, likewise. One checkpoint has both.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`. None for inference, which with the constant
            prompt needs neither text tower nor inversion network.
        i2i_feature: See :class:`ImageReID`.
        necks: See :class:`BaseReID`.
        data_preprocessor: Config of the preprocessor.

    Raises:
        PartError: A head, neck or retrieval feature names what is not on offer, or
            parts don't fit each other.
        ValueError: ``train_prompt`` or ``inference`` is neither, or prompts are to be
            composed at test alone.
    """

    prompt_constant: Tensor

    def __init__(
        self,
        image_encoder: dict,
        prompt_encoder: dict,
        inversion: dict,
        prompt_learner: dict,
        train_prompt: str = 'composed',
        inference: str = 'composed',
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] | None = None,
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
    ) -> None:
        check_one_of('train_prompt', train_prompt, PROMPTS)
        check_one_of('inference', inference, PROMPTS)
        if (train_prompt, inference) == ('constant', 'composed'):
            raise ValueError(
                "inference='composed' needs the inversion network that "
                "train_prompt='constant' does without: set inference='constant' too."
            )
        # Training composes whatever the later inference, which is a matter of choice
        self._composes = (inference if num_ids is None else train_prompt) == 'composed'
        prompt_encoder = {**same_weights(image_encoder), **prompt_encoder}
        # Known before necks and heads are built
        self.prompt_sizes = measure_text_tower(
            prompt_encoder, 'prompt_encoder', 'prompts'
        )
        super().__init__(
            image_encoder, heads, num_ids, i2i_feature, necks, data_preprocessor
        )
        self.train_prompt = train_prompt
        self.inference = inference
        if self._composes or num_ids is not None:
            constant = self._build_prompts(prompt_encoder, inversion, prompt_learner)
        else:
            # Not a number until a checkpoint is loaded, lest it is taken for one
            constant = torch.full((self.prompt_sizes.joint,), torch.nan)
        self.register_buffer('prompt_constant', constant)

    def _build_prompts(
        self, prompt_encoder: dict, inversion: dict, prompt_learner: dict
    ) -> Tensor:
        """Build all that makes prompts, keep what is needed; return the constant's."""
        encoder = build_part(BACKBONES, prompt_encoder, 'prompt_encoder')
        encoder.requires_grad_(False)
        # Of a whole text tower, the token table alone, and that for a moment
        words = build_part(
            BACKBONES, {**prompt_encoder, 'type': 'CLIPTextEncoder'}, 'prompt_encoder'
        )
        table = words.token_table
        network = build_inversion(
            inversion,
            'inversion',
            ('v', 'image_tokens'),
            ImageReID.offers(self, ''),
            table.shape[1],
            mean_token_norm(table),
        )
        learner = build_prompt_learner(
            prompt_learner,
            ('instance_prompts', 'constant_prompt'),
            dict(
                token_table=table,
                num_inst_tokens=network.num_tokens,
                context_length=encoder.context_length,
            ),
        )
        if self._composes:
            self.prompt_encoder = encoder
            self.inversion = network
            self.prompt_learner = learner
        with torch.no_grad():
            return encoder(*learner.constant_prompt())[0]

    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """See :class:`BaseReID`."""
        joint = self.prompt_sizes.joint
        forms = {
            **super().offers(stage),
            'prompt': FeatureForm(VECTOR, joint),
            'prompt_constant': FeatureForm(VECTOR, joint, None),
        }
        if self._composes:
            forms['pseudo_image'] = FeatureForm(PSEUDO, self.prompt_sizes.width)
            forms['prompt_image'] = FeatureForm(VECTOR, joint)
        return forms

    def retrievable(self) -> set[str]:
        """See :class:`ImageReID`; all of it is made of the image alone."""
        return set(self.offers(''))

    def enter_stage(self, name: str) -> None:
        """See :class:`BaseReID`.

        Raises:
            PartError: The stage trains the text tower.
        """
        super().enter_stage(name)
        if self._composes and any(
            p.requires_grad for p in self.prompt_encoder.parameters()
        ):
            raise PartError(
                f"Stage '{name}' trains prompt_encoder, but prompt_constant stays what "
                'that tower said at first: leave it out of `trainable`.'
            )

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """See :class:`BaseReID`."""
        bundle = super().encode(inputs, reads)
        self._put_prompts(bundle, reads)
        return bundle

    def encode_images(
        self, inputs: dict[str, Tensor], reads: set[str]
    ) -> FeatureBundle:
        """See :class:`ImageReID`."""
        bundle = super().encode_images(inputs, reads)
        self._put_prompts(bundle, reads)
        return bundle

    def _composed_guides(self, reads: set[str]) -> bool:
        """Return whether what guides is read, and is the composed prompt."""
        return self._guide() == 'composed' and 'prompt' in reads

    def _guide(self) -> str:
        learning = self.training and self.num_ids is not None
        return self.train_prompt if learning else self.inference

    def tower_reads(self, reads: set[str]) -> dict[str, str]:
        """See :class:`ImageReID`; some inversion networks read the sequence."""
        groups = super().tower_reads(reads)
        composes = self._composed_guides(reads) or bool(reads & _COMPOSED)
        if composes:
            groups['v'] = ALL  # what is inverted
            if self.inversion.reads_tokens:
                groups['image_tokens'] = ALL
        return groups

    def _put_prompts(self, bundle: FeatureBundle, reads: set[str]) -> None:
        """Compose prompts as far as ``reads`` asks; put those and the constant one."""
        composed_guides = self._composed_guides(reads)
        if composed_guides or reads & _COMPOSED:
            v, _ = bundle.select('v')
            tokens = None
            if self.inversion.reads_tokens:
                tokens, _ = bundle.select('image_tokens')
            pseudo = self.inversion(tokens, v)
            bundle.put('pseudo_image', pseudo)
            if composed_guides or 'prompt_image' in reads:
                prompts = self.prompt_learner.instance_prompts(pseudo)
                bundle.put('prompt_image', self.prompt_encoder(*prompts))
        bundle.put_table('prompt_constant', self.prompt_constant)
        if composed_guides:
            bundle.put('prompt', bundle.select('prompt_image')[0])
        elif self._guide() == 'constant':
            bundle.put(
                'prompt', self.prompt_constant.expand(bundle.labels.shape[0], -1)
            )
