"""Two towers and heads: the CLIP baselines, and HPL's rows without prompts."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle, ReIDDataSample
from hplreid.structures.feature_bundle import CAPTIONED

from .base_reid import BaseReID

_STATES = ('', '_post', '_penultimate')  # of a class token, see CLIPImageEncoder


@MODELS.register_module()
class DualEncoder(BaseReID):
    """Image tower E_v and text tower E_t, joined by nothing but the losses.

    It offers the image tower's class tokens (``v``, and ``u`` of a Task-Routed
    Transformer, with their states ``v_post`` and ``v_penultimate``), the captions'
    EOT feature ``t``, and the table ``logit_scale`` (learnable).

    Args:
        image_encoder: Config of E_v.
        text_encoder: Config of E_t; ``arch`` and ``pretrained`` default to E_v's.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`.
        i2i_feature: Names of the states that are joined to the I2I feature. Defaults
            to the last class token: ``u`` where there is one, else ``v``.
        t2i_feature: Name of the image's T2I feature.
        data_preprocessor: Config of the preprocessor.

    Raises:
        KeyError: A head or a retrieval feature names what the towers don't offer.
    """

    def __init__(
        self,
        image_encoder: dict,
        text_encoder: dict,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: Sequence[str] | None = None,
        t2i_feature: str = 'v',
        data_preprocessor: dict | None = None,
    ) -> None:
        image = BACKBONES.build(image_encoder)
        self._image_names = {n + s for n in image.class_names for s in _STATES}
        super().__init__(
            heads,
            num_ids,
            {
                n: image.width if n.endswith(_STATES[1:]) else image.embed_dim
                for n in self.offers('')
            },
            data_preprocessor,
        )
        self.image_encoder = image
        self.text_encoder = BACKBONES.build(
            text_encoder, default_args=_same_weights(image_encoder)
        )
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.i2i_feature = tuple(i2i_feature or image.class_names[-1:])
        self.t2i_feature = t2i_feature
        unknown = {*self.i2i_feature, t2i_feature} - self._image_names
        if unknown:
            raise KeyError(
                f'Retrieval features {sorted(unknown)}: the image tower offers '
                f'{sorted(self._image_names)}.'
            )

    def offers(self, stage: str) -> set[str]:
        """See :class:`BaseReID`."""
        return {*self._image_names, 't', 'logit_scale'}

    def enter_stage(self, name: str) -> None:
        """See :class:`BaseReID`."""
        super().enter_stage(name)
        if hasattr(self.image_encoder, 'enter_stage'):
            self.image_encoder.enter_stage(name)

    def encode_towers(
        self, inputs: dict[str, Tensor]
    ) -> tuple[FeatureBundle, dict[str, Tensor], dict[str, Tensor] | None]:
        """Run both towers.

        Returns:
            The bundle with the towers' features, and all that the image tower and the
            text tower (None without captions) returned.
        """
        bundle = FeatureBundle(
            inputs['labels'], inputs['caption_rows'], inputs['image_only_rows']
        )
        image = self.image_encoder(inputs['images'])
        for name in self._image_names:
            bundle.put(name, image[name])
        text = None
        if len(inputs['captions']):
            text = self.text_encoder(inputs['captions'])
            bundle.put('t', text['t'], CAPTIONED)
        # The clamp is CLIP's: logits are never scaled by more than 100
        bundle.put_table('logit_scale', self.logit_scale.exp().clamp(max=100))
        return bundle, image, text

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """See :class:`BaseReID`."""
        return self.encode_towers(inputs)[0]

    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Encode pictures and captions, each by its tower alone."""
        if len(inputs['images']):
            image = self.image_encoder(inputs['images'])
            i2i = torch.cat([image[n] for n in self.i2i_feature], dim=1)
            _write(data_samples, inputs['image_rows'], 'i2i_feat', i2i)
            _write(
                data_samples, inputs['image_rows'], 't2i_feat', image[self.t2i_feature]
            )
        if len(inputs['captions']):
            t = self.text_encoder(inputs['captions'])['t']
            _write(data_samples, inputs['caption_rows'], 't2i_feat', t)
        return data_samples


def _same_weights(image_encoder: dict) -> dict:
    """What a text tower shares with the image tower that it was trained with."""
    return {k: image_encoder[k] for k in ('arch', 'pretrained') if k in image_encoder}


def _write(
    samples: list[ReIDDataSample], rows: Tensor, name: str, features: Tensor
) -> None:
    values = features.detach().float().cpu()
    for row, value in zip(rows.tolist(), values, strict=True):
        samples[row].set_field(value, name)
