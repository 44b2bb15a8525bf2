"""HPL: Hierarchical Prompt Learning for I2I and T2I person ReID (AAAI-26)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle
from hplreid.structures.feature_bundle import ALL, CAPTIONED
from hplreid.structures.feature_form import PSEUDO, TABLE, VECTOR, FeatureForm

from ..assembly import (
    build_inversion,
    build_prompt_learner,
    measure_text_tower,
    same_weights,
)
from ..backbones.clip_text_encoder import mean_token_norm
from ..part import PartError, build_part
from .dual_encoder import DualEncoder
from .identity_prompts import IdentityPrompts


@MODELS.register_module()
class HPL(DualEncoder):
    """Two towers, prompts of two levels, and two stages.

    Stage ``construct`` fits the prompts to frozen towers: the inversion networks and
    the identity tokens are trained (Eq. 3 to 9, 13). Stage ``align`` trains the towers
    with the prompts' help (Eq. 2, 10 to 12, 14). Which parameters a stage trains, and
    by which heads, the config says. Inference runs the two towers alone.

    Beside the towers' features it offers, written as in the paper:

    * ``pseudo_image`` P_v and ``pseudo_text`` P_t, ``(N, m, D)``: Eq. 3 and 4;
    * ``prompt_image`` g_v and ``prompt_text`` g_t, ``(N, d)``: Eq. 5;
    * ``prompt_identity`` r_y of each item, ``(B, d)``: Eq. 7;
    * in ``align``, the table ``identity_prompts`` of r for all identities.

    What no head of the stage reads is not computed.

    Args:
        image_encoder: Config of E_v.
        text_encoder: Config of E_t; ``arch`` and ``pretrained`` default to E_v's.
        prompt_encoder: Config of Et~, likewise.
        prompt_learner: Config of the identity tokens and templates.
        image_inversion: Config of the network from Z_v to P_v.
        text_inversion: Config of the network from Z_t to P_t.
        inversion_input: ``'tokens'``: sequences in the joint space, as Eq. 1 defines
            them; ``'hidden'``: before the projection.
        mask_padding: Hide what follows a caption's EOT from its inversion network.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`. None for inference: no prompts, no heads.
        i2i_feature: See :class:`ImageReID`.
        t2i_feature: See :class:`DualEncoder`.
        train_captions: See :class:`DualEncoder`.
        necks: See :class:`BaseReID`.
        data_preprocessor: Config of the preprocessor.
        prototypes: See :class:`DualEncoder`.

    Raises:
        ValueError: ``inversion_input`` is neither.
        PartError: Parts don't fit: the inversion networks make different numbers of
            tokens, say, or the prompt learner makes no hierarchical prompts.
    """

    def __init__(
        self,
        image_encoder: dict,
        text_encoder: dict,
        prompt_encoder: dict,
        prompt_learner: dict,
        image_inversion: dict,
        text_inversion: dict,
        inversion_input: str = 'tokens',
        mask_padding: bool = True,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] | None = None,
        t2i_feature: str = 'v',
        train_captions: str = 'clean',
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        prototypes: str | None = None,
    ) -> None:
        if inversion_input not in ('tokens', 'hidden'):
            raise ValueError(
                f"inversion_input='{inversion_input}': expected 'tokens' or 'hidden'."
            )
        prompt_encoder = {**same_weights(image_encoder), **prompt_encoder}
        if num_ids is not None:  # known before necks and heads are built
            self.prompt_sizes = measure_text_tower(
                prompt_encoder, 'prompt_encoder', 'prompts'
            )
        super().__init__(
            image_encoder,
            text_encoder,
            heads,
            num_ids,
            i2i_feature,
            t2i_feature,
            train_captions,
            necks,
            data_preprocessor,
            prototypes,
        )
        if num_ids is None:
            return
        self.inversion_input = inversion_input
        self.mask_padding = mask_padding
        table = self.text_encoder.token_table
        if self.prompt_sizes.width != table.shape[1]:
            raise PartError(
                f'prompt_encoder reads embeddings of width {self.prompt_sizes.width}, '
                f"but text_encoder's are {table.shape[1]} wide: give both one `arch`."
            )
        self.prompt_encoder = build_part(BACKBONES, prompt_encoder, 'prompt_encoder')
        norm, offered = mean_token_norm(table), self.offers('')
        self.image_inversion, self.text_inversion = (
            build_inversion(
                config,
                f'{kind}_inversion',
                (pooled, f'{kind}_{inversion_input}'),
                offered,
                table.shape[1],
                norm,
            )
            for config, kind, pooled in (
                (image_inversion, 'image', 'v'),
                (text_inversion, 'text', 't'),
            )
        )
        made = self.image_inversion.num_tokens
        if made != self.text_inversion.num_tokens:
            raise PartError(
                f'image_inversion makes {made} pseudo-tokens and text_inversion '
                f'{self.text_inversion.num_tokens}: Eq. 12 subtracts one from '
                'the other. Give both one `num_tokens`.'
            )
        self.prompt_learner = build_prompt_learner(
            prompt_learner,
            ('identity_prompts', 'hierarchical_prompts'),
            dict(
                num_ids=num_ids,
                token_table=table,
                num_inst_tokens=made,
                context_length=self.prompt_encoder.context_length,
            ),
        )
        self.identity_prompts = IdentityPrompts(
            self.prompt_learner, self.prompt_encoder
        )

    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """See :class:`BaseReID`; without ``num_ids`` there are no prompts."""
        forms = super().offers(stage)
        if self.num_ids is None:
            return forms
        # Of these towers is what prompts are made of, and in this space they end
        embedded, joint = self.text_sizes.width, self.prompt_sizes.joint
        rows = self._rows_inverted(stage)
        return {
            **forms,
            'pseudo_image': FeatureForm(PSEUDO, embedded, rows),
            'pseudo_text': FeatureForm(PSEUDO, embedded, CAPTIONED),
            'prompt_image': FeatureForm(VECTOR, joint, rows),
            'prompt_text': FeatureForm(VECTOR, joint, CAPTIONED),
            'prompt_identity': FeatureForm(VECTOR, joint),
            'identity_prompts': FeatureForm(TABLE, joint, None),
        }

    def enter_stage(self, name: str) -> None:
        """See :class:`BaseReID`; the identity table is made anew when it is needed."""
        super().enter_stage(name)
        self.identity_prompts.forget()

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """Run the towers, then invert and prompt as far as ``reads`` asks."""
        bundle = super().encode(inputs, reads)
        labels = inputs['labels']

        group = self._inverted_group
        rows = slice(None) if group == ALL else inputs['caption_rows']

        if reads & {'pseudo_image', 'prompt_image'}:  # Eq. 3, 5
            v, _ = bundle.select('v', group)
            tokens = None
            if self.image_inversion.reads_tokens:
                tokens, _ = bundle.select(f'image_{self.inversion_input}', group)
            pseudo = self.image_inversion(tokens, v)
            bundle.put('pseudo_image', pseudo, group)
            if 'prompt_image' in reads:
                bundle.put('prompt_image', self._prompt(labels[rows], pseudo), group)

        captioned = len(inputs['captions']) > 0
        if captioned and reads & {'pseudo_text', 'prompt_text'}:  # Eq. 4, 5
            tokens = None
            if self.text_inversion.reads_tokens:
                tokens, _ = bundle.select(f'text_{self.inversion_input}', CAPTIONED)
            t, _ = bundle.select('t', CAPTIONED)
            padding = self._padding(bundle, inputs['captions'].shape[1])
            pseudo = self.text_inversion(tokens, t, padding)
            bundle.put('pseudo_text', pseudo, CAPTIONED)
            if 'prompt_text' in reads:
                prompts = self._prompt(labels[inputs['caption_rows']], pseudo)
                bundle.put('prompt_text', prompts, CAPTIONED)

        if 'prompt_identity' in reads:  # Eq. 7, once for each identity of the batch
            r = self.identity_prompts.of(inputs['unique_labels'])
            bundle.put('prompt_identity', r[inputs['unique_index']])
        if 'identity_prompts' in reads:
            bundle.put_table('identity_prompts', self.identity_prompts.table())
        return bundle

    @property
    def _inverted_group(self) -> str:
        """The rows whose images are inverted in the current stage."""
        return self._rows_inverted(self.stage)

    @staticmethod
    def _rows_inverted(stage: str | None) -> str:
        """Return the rows whose images are inverted.

        Stage I inverts the images of both datasets (Eq. 6), stage II those with a
        caption (Eq. 10, 12).
        """
        return ALL if stage == 'construct' else CAPTIONED

    def tower_reads(self, reads: set[str]) -> dict[str, str]:
        """See :class:`ImageReID`; the inversion network may read the sequence."""
        groups = super().tower_reads(reads)
        if reads & {'pseudo_image', 'prompt_image'}:
            groups['v'] = ALL  # what is inverted
        if self._inverts('image', reads):
            sequence = f'image_{self.inversion_input}'
            # Unless something else reads it of all rows, or the other form of it
            whole = {'image_tokens', 'image_hidden'} & groups.keys()
            groups[sequence] = ALL if whole else self._inverted_group
        return groups

    def text_tower_reads(self, reads: set[str]) -> tuple[str, ...]:
        """See :class:`DualEncoder`; the inversion network may read the sequence."""
        names = super().text_tower_reads(reads)
        if self._inverts('text', reads):
            names = (*names, f'text_{self.inversion_input}')
        return names

    def _inverts(self, kind: str, reads: set[str]) -> bool:
        """Return whether a sequence, of ``'image'`` or ``'text'``, is inverted."""
        made = {f'pseudo_{kind}', f'prompt_{kind}'}
        return bool(reads & made) and getattr(self, f'{kind}_inversion').reads_tokens

    def _prompt(self, labels: Tensor, pseudo: Tensor) -> Tensor:
        return self.prompt_encoder(
            *self.prompt_learner.hierarchical_prompts(labels, pseudo)
        )

    def _padding(self, bundle: FeatureBundle, length: int) -> Tensor | None:
        """Return True for what follows the EOT, ``(B_T, L)``."""
        if not self.mask_padding:
            return None
        eot, _ = bundle.select('eot', CAPTIONED)
        places = torch.arange(length, device=eot.device)
        return places > eot.unsqueeze(1)
