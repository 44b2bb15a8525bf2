"""Two towers and heads: the CLIP baselines, IRRA, and HPL's rows without prompts."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle, ReIDDataSample
from hplreid.structures.feature_bundle import CAPTIONED
from hplreid.structures.feature_form import (
    IDS,
    PLACE,
    SCALAR,
    TABLE,
    TOKENS,
    VECTOR,
    FeatureForm,
)
from hplreid.utils.argument_checks import check_one_of

from ..assembly import measure_text_tower, same_weights
from ..part import PartError, build_part
from .image_reid import ImageReID, write_features
from .initial_prototypes import PROTOTYPES, InitialPrototypes, Labeled

_TEXT = ('t', 'text_tokens', 'text_hidden', 'eot')
_MASKED = ('masked_tokens', 'mask_labels')


@MODELS.register_module()
class DualEncoder(ImageReID):
    """Image tower E_v and text tower E_t, joined by nothing but the losses.

    Beside the image tower's features (``v``, and ``u`` of a Task-Routed Transformer,
    with their states ``v_post`` and ``v_penultimate``; ``image_tokens``,
    ``image_hidden``) it offers those of the captions: ``t`` of the EOT,
    ``text_tokens``, ``text_hidden``; the sequence ``masked_tokens`` of the captions as
    :class:`MaskCaption` leaves them and the ``mask_labels`` to be guessed; and the
    table ``logit_scale`` (learnable). With ``prototypes`` it also offers the tables
    ``prototypes_image`` and ``prototypes_text``, see :class:`InitialPrototypes`.

    Args:
        image_encoder: Config of E_v.
        text_encoder: Config of E_t; ``arch`` and ``pretrained`` default to E_v's.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`.
        i2i_feature: See :class:`ImageReID`.
        t2i_feature: Name of the image's T2I feature.
        train_captions: Which captions ``t`` is of in training: ``'clean'``, or
            ``'masked'``, as in IRRA's released code.
        necks: See :class:`BaseReID`.
        data_preprocessor: Config of the preprocessor.
        prototypes: How a stage's ``init_features`` make an identity's prototype in
            training: their ``'mean'`` or ``'sum'``. Images' are of ``t2i_feature``.
            None for no prototypes.

    Raises:
        PartError: A head or a retrieval feature names what the towers don't offer, or
            images and captions are of different widths.
        ValueError: ``train_captions`` or ``prototypes`` is neither.
    """

    def __init__(
        self,
        image_encoder: dict,
        text_encoder: dict,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] | None = None,
        t2i_feature: str = 'v',
        train_captions: str = 'clean',
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        prototypes: str | None = None,
    ) -> None:
        check_one_of('train_captions', train_captions, ('clean', 'masked'))
        text_encoder = {**same_weights(image_encoder), **text_encoder}
        # Known before necks and heads are built
        self.text_sizes = measure_text_tower(text_encoder, 'text_encoder', 'captions')
        # Known before heads are built; at test nothing reads them
        self.has_prototypes = prototypes is not None and num_ids is not None
        self.t2i_feature = t2i_feature
        super().__init__(
            image_encoder, heads, num_ids, i2i_feature, necks, data_preprocessor
        )
        self.text_encoder = build_part(BACKBONES, text_encoder, 'text_encoder')
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.train_captions = train_captions
        self._check_retrieval((t2i_feature,))
        self._check_compared()
        if prototypes is not None and num_ids is not None:
            self.prototypes = InitialPrototypes(
                num_ids, self.text_sizes.joint, prototypes, image=t2i_feature
            )

    def retrieval_features(self) -> set[str]:
        """See :class:`BaseReID`."""
        return {*super().retrieval_features(), self.t2i_feature}

    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """See :class:`BaseReID`."""
        joint, width = self.text_sizes.joint, self.text_sizes.width
        forms = {
            't': FeatureForm(VECTOR, joint, CAPTIONED),
            'text_tokens': FeatureForm(TOKENS, joint, CAPTIONED),
            'text_hidden': FeatureForm(TOKENS, width, CAPTIONED),
            'eot': FeatureForm(PLACE, rows=CAPTIONED),
            'masked_tokens': FeatureForm(TOKENS, joint, CAPTIONED),
            'mask_labels': FeatureForm(IDS, rows=CAPTIONED),
            'logit_scale': FeatureForm(SCALAR, rows=None),
        }
        if self.has_prototypes:
            forms |= {n: FeatureForm(TABLE, joint, None) for n in PROTOTYPES}
        return {**super().offers(stage), **forms}

    def _check_compared(self) -> None:
        """Check that images are as wide as the captions that they are compared with."""
        name, joint = self.t2i_feature, self.text_sizes.joint
        width = self.forms('')[name].width
        if width != joint:
            raise PartError(
                f"t2i_feature: '{name}' is {width} wide, captions are {joint}. Set "
                "text_encoder.arch to the image tower's, or let a neck "
                f"dict(type='LinearNeck', reads='{name}', out_channels={joint}) make "
                'the feature that t2i_feature and the heads name.'
            )

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """See :class:`BaseReID`."""
        bundle = super().encode(inputs, reads)
        if len(inputs['captions']):
            self._put_text_features(bundle, inputs, reads)
        # The clamp is CLIP's: logits are never scaled by more than 100
        bundle.put_table('logit_scale', self.logit_scale.exp().clamp(max=100))
        if reads & set(PROTOTYPES):
            for name, table in self.prototypes.tables().items():
                bundle.put_table(name, table)
        return bundle

    def receive_features(self, features: Labeled) -> None:
        """See :class:`BaseReID`; they become the initial prototypes."""
        if not self.has_prototypes:
            super().receive_features(features)
        self.prototypes.fill(features)

    def text_tower_reads(self, reads: set[str]) -> tuple[str, ...]:
        """Return the features of captions that are needed.

        A method that makes something else of the tower's features names those here.
        """
        return tuple(name for name in _TEXT if name in reads)

    def _put_text_features(
        self, bundle: FeatureBundle, inputs: dict[str, Tensor], reads: set[str]
    ) -> None:
        """Run the text tower over the captions, the masked ones, or both."""
        only_masked = self.training and self.train_captions == 'masked'
        text_reads = self.text_tower_reads(reads)
        text = masked = None
        if 'masked_captions' in inputs and (only_masked or reads & set(_MASKED)):
            masked_reads = text_reads if only_masked else ()
            if 'masked_tokens' in reads:
                masked_reads = (*masked_reads, 'text_tokens')
            masked = self.text_encoder(inputs['masked_captions'], masked_reads)
            if 'masked_tokens' in reads:
                bundle.put('masked_tokens', masked['text_tokens'], CAPTIONED)
            bundle.put('mask_labels', inputs['mask_labels'], CAPTIONED)
        if only_masked:
            if masked is None:
                raise PartError(
                    "train_captions='masked', but no caption is: the training "
                    'pipeline lacks MaskCaption.'
                )
            text = masked
        else:
            text = self.text_encoder(inputs['captions'], text_reads)
        for name in text:
            bundle.put(name, text[name], CAPTIONED)

    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Encode images and captions, each by its tower alone."""
        if len(inputs['images']):
            i2i, t2i = self.image_features(
                inputs, self.i2i_feature, (self.t2i_feature,)
            )
            write_features(data_samples, inputs['image_rows'], 'i2i_feat', i2i)
            write_features(data_samples, inputs['image_rows'], 't2i_feat', t2i)
        if len(inputs['captions']):
            t = self.text_encoder(inputs['captions'], ('t',))['t']
            write_features(data_samples, inputs['caption_rows'], 't2i_feat', t)
        return data_samples
