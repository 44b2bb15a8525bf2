"""CLIP-ReID: prompts of identities, learned first and then learned from (AAAI 2023)."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_form import TABLE, VECTOR, FeatureForm

from ..assembly import build_prompt_learner, measure_text_tower, same_weights
from ..part import build_part
from .identity_prompts import IdentityPrompts
from .image_reid import ImageReID


@MODELS.register_module()
class CLIPReID(ImageReID):
    """An image tower, a frozen text tower, and tokens of each identity, in two stages.

    `CLIP-ReID <https://arxiv.org/abs/2211.13977>`_. Stage ``prompt`` learns the tokens
    against frozen images: their features don't change, so that a config keeps them
    (``cache_features=['v']``). Stage ``encoder`` trains the image tower and its heads,
    and holds images to the prompts of all identities. Which parameters a stage
    trains, and by which heads, the config says. At test the image tower runs alone.

    Beside the image tower's features (``v_penultimate``, ``v_post``, ``v``) and those
    of necks it offers ``prompt_identity`` ``(B, d)``, the prompt of each item's
    identity, and the table ``identity_prompts`` ``(N_id, d)``, made once a stage.

    Args:
        image_encoder: Config of the image tower.
        prompt_encoder: Config of the text tower; ``arch`` and ``pretrained`` default
            to the image tower's.
        prompt_learner: Config of the identity tokens and their template.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`. None for inference: no prompts, no heads.
        i2i_feature: See :class:`ImageReID`. Defaults to CLIP-ReID's, before BN.
        necks: See :class:`BaseReID`.
        data_preprocessor: Config of the preprocessor.
    """

    def __init__(
        self,
        image_encoder: dict,
        prompt_encoder: dict,
        prompt_learner: dict,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] = ('v_post', 'v'),
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
    ) -> None:
        prompt_encoder = {**same_weights(image_encoder), **prompt_encoder}
        if num_ids is not None:  # known before heads are built
            self.prompt_sizes = measure_text_tower(
                prompt_encoder, 'prompt_encoder', 'prompts'
            )
        super().__init__(
            image_encoder, heads, num_ids, i2i_feature, necks, data_preprocessor
        )
        if num_ids is None:
            return
        self.prompt_encoder = build_part(BACKBONES, prompt_encoder, 'prompt_encoder')
        # The words of the template are all that is kept of it
        words = build_part(
            BACKBONES, {**prompt_encoder, 'type': 'CLIPTextEncoder'}, 'prompt_encoder'
        )
        self.prompt_learner = build_prompt_learner(
            prompt_learner,
            ('identity_prompts',),
            dict(
                num_ids=num_ids,
                token_table=words.token_table,
                context_length=self.prompt_encoder.context_length,
            ),
        )
        self.identity_prompts = IdentityPrompts(
            self.prompt_learner, self.prompt_encoder
        )

    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """See :class:`BaseReID`."""
        forms = super().offers(stage)
        if self.num_ids is not None:
            joint = self.prompt_sizes.joint
            forms['prompt_identity'] = FeatureForm(VECTOR, joint)
            forms['identity_prompts'] = FeatureForm(TABLE, joint, None)
        return forms

    def enter_stage(self, name: str) -> None:
        """See :class:`BaseReID`; the identity table is made anew when it is needed."""
        super().enter_stage(name)
        self.identity_prompts.forget()

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """Run the image tower, then the text tower as far as ``reads`` asks."""
        bundle = super().encode(inputs, reads)
        if 'prompt_identity' in reads:  # once for each identity of the batch
            prompts = self.identity_prompts.of(inputs['unique_labels'])
            bundle.put('prompt_identity', prompts[inputs['unique_index']])
        if 'identity_prompts' in reads:
            bundle.put_table('identity_prompts', self.identity_prompts.table())
        return bundle

    def put_image_features(
        self, bundle: FeatureBundle, inputs: dict[str, Tensor], reads: set[str]
    ) -> None:
        """See :class:`ImageReID`; prompts are learned from images of no camera.

        The embeddings of cameras are trained in the stage after, and CLIP-ReID's code
        leaves them out as well.
        """
        given: dict[str, Any] = dict(inputs)
        if self.stage == 'prompt':
            given['camids'] = None
        super().put_image_features(bundle, given, reads)
