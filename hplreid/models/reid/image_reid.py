"""One image tower and heads: the base of image-to-image methods."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hplreid.registry import BACKBONES, MODELS
from hplreid.structures import FeatureBundle, ReIDDataSample
from hplreid.structures.feature_bundle import ALL, CAPTIONED
from hplreid.structures.feature_form import VECTOR, FeatureForm, forms_by_name

from ..assembly import check_tower, check_width
from ..backbones.foreign_tower import ForeignFeatures
from ..part import PartError, build_part
from .base_reid import BaseReID


@MODELS.register_module()
class ImageReID(BaseReID):
    """An image tower; its features, and those of necks, are what heads read.

    A tower of this package says which features it offers (``feature_dims``), and is
    told which of them are read, where its ``forward`` takes ``reads``. Of another one,
    ``mmpretrain.SwinTransformer`` say, one blank image finds out what it makes: maps,
    tokens or vectors, which are offered as :class:`.ForeignFeatures` says.

    Args:
        image_encoder: Config of the tower.
        heads: See :class:`BaseReID`.
        num_ids: See :class:`BaseReID`.
        i2i_feature: Names of the features that are joined to the I2I feature, necks'
            among them. Defaults to the tower's own choice, its last class token.
        necks: See :class:`BaseReID`.
        data_preprocessor: Config of the preprocessor.
        feature_dims: Widths of the tower's features, where they are to be checked
            against what is found out. Defaults to None.

    Raises:
        PartError: The tower can't be built or is no image tower; a head, neck or
            retrieval feature names what is not on offer, or what has another form.
    """

    def __init__(
        self,
        image_encoder: dict,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] | None = None,
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        feature_dims: Mapping[str, int | None] | None = None,
    ) -> None:
        check_tower(image_encoder, 'image_encoder', 'images')
        tower = build_part(BACKBONES, image_encoder, 'image_encoder')
        self._foreign: ForeignFeatures | None = None
        if hasattr(tower, 'feature_dims'):
            self._image_forms = forms_by_name(tower.feature_dims)
        else:
            self._foreign = _measure(tower, image_encoder)
            self._image_forms = self._foreign.forms
        for name, width in (feature_dims or {}).items():
            self._check_names('feature_dims', [name], self._image_forms)
            found = self._image_forms[name].width
            check_width(f'feature_dims.{name}', width, name, found)
        if i2i_feature is None:
            default = 'v' if self._foreign else next(iter(self._image_forms))
            i2i_feature = getattr(tower, 'retrieval_feature', default)
        if isinstance(i2i_feature, str):
            i2i_feature = (i2i_feature,)
        self.i2i_feature = tuple(i2i_feature)
        super().__init__(heads, num_ids, data_preprocessor, necks)
        self.image_encoder = tower
        self._tower_arguments = frozenset(inspect.signature(tower.forward).parameters)
        self._check_retrieval(self.i2i_feature)

    def _check_retrieval(self, names: Collection[str]) -> None:
        """Check that an image alone has these features, and that they are vectors."""
        forms, offered = self.forms(''), self.retrievable()
        for neck in self.necks:  # those that need nothing but an image
            if self.inputs_of([neck]) - {neck} <= offered:
                offered.add(neck)
        self._check_names('Retrieval features', names, offered)
        for name in names:
            if forms[name].kind != VECTOR or forms[name].rows is None:
                raise PartError(
                    f"Retrieval feature '{name}' is {forms[name]}; expected one vector "
                    'an image. A neck makes one of a map, GlobalAveragePool say.'
                )

    def _check_names(
        self, place: str, names: Collection[str], offered: Collection[str]
    ) -> None:
        unknown = sorted(set(names) - set(offered))
        if unknown:
            raise PartError(
                f'{place} {unknown}: {type(self).__name__} offers of an image '
                f'{sorted(offered)}.'
            )

    def retrieval_features(self) -> set[str]:
        """See :class:`BaseReID`."""
        return set(self.i2i_feature)

    def widths(self) -> dict[str, int | None]:
        """Return the width of each feature and table that the method offers."""
        return {name: form.width for name, form in self.offers('').items()}

    def retrievable(self) -> set[str]:
        """Return the names of the features that an image alone has at test."""
        return set(self._image_forms)

    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """See :class:`BaseReID`."""
        return dict(self._image_forms)

    def enter_stage(self, name: str) -> None:
        """See :class:`BaseReID`."""
        super().enter_stage(name)
        if hasattr(self.image_encoder, 'enter_stage'):
            self.image_encoder.enter_stage(name)

    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """See :class:`BaseReID`."""
        bundle = FeatureBundle(
            inputs['labels'], inputs['caption_rows'], inputs['image_only_rows']
        )
        self.put_image_features(bundle, inputs, reads)
        return bundle

    def put_image_features(
        self, bundle: FeatureBundle, inputs: dict[str, Tensor], reads: set[str]
    ) -> None:
        """Run the image tower and put its features on the bundle, ``reads`` at least.

        Features that were computed before the stage and came with the batch (a stage's
        ``cache_features``) stand for the tower's.
        """
        groups = self.tower_reads(reads)
        features: Any = inputs.get('features')
        if features or 'rows' not in self._tower_arguments:
            groups = dict.fromkeys(groups, ALL)
        for name, value in (features or self._run_tower(inputs, groups)).items():
            bundle.put(name, value, groups.get(name, ALL))

    def tower_reads(self, reads: set[str]) -> dict[str, str]:
        """Return the image features that are needed, and of which group of rows.

        A method that makes something else of the tower's features names those here.
        """
        return {name: ALL for name in self._image_forms if name in reads}

    def _run_tower(
        self, inputs: dict[str, Tensor], groups: dict[str, str]
    ) -> dict[str, Tensor]:
        given = [inputs['images']]
        if getattr(self.image_encoder, 'num_cameras', 0):
            given.append(inputs['camids'])
        told: dict[str, Any] = {}
        if 'reads' in self._tower_arguments:
            told['reads'] = tuple(groups)
        if CAPTIONED in groups.values():
            told['rows'] = inputs['caption_rows']
        features = self.image_encoder(*given, **told)
        if self._foreign is not None:
            features = self._foreign.read(features, inputs['images'].shape[-2:])
        return {n: features[n] for n in self._image_forms if n in features}

    def encode_images(
        self, inputs: dict[str, Tensor], reads: set[str]
    ) -> FeatureBundle:
        """Compute the features that retrieval compares, of images of unknown identity.

        Args:
            inputs: ``images`` ``(B, 3, H, W)``, ``camids`` ``(B,)``.
            reads: Names of features.
        """
        images = inputs['images']
        rows = torch.arange(images.shape[0], device=images.device)
        bundle = FeatureBundle(torch.full_like(rows, -1), rows[:0], rows)
        self.put_image_features(bundle, inputs, reads)
        return bundle

    def image_features(
        self, inputs: dict[str, Tensor], *wanted: Sequence[str]
    ) -> list[Tensor]:
        """Return the joined features of each list of names, ``(B, sum of widths)``."""
        reads = {name for names in wanted for name in names}
        bundle = self.encode_images(inputs, self.inputs_of(reads))
        self.run_necks(bundle, reads)
        return [
            torch.cat([bundle.select(name)[0] for name in names], dim=1)
            for names in wanted
        ]

    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Encode the images."""
        if len(inputs['images']):
            (features,) = self.image_features(inputs, self.i2i_feature)
            write_features(data_samples, inputs['image_rows'], 'i2i_feat', features)
        return data_samples


def _measure(tower: nn.Module, config: Mapping[str, Any]) -> ForeignFeatures:
    """Find out what a tower of another code base makes."""
    size = config.get('img_size')
    if isinstance(size, int):
        size = (size, size)
    try:
        return ForeignFeatures(tower, size)
    except ValueError as error:
        raise PartError(f'image_encoder: {config["type"]}: {error}') from None


def write_features(
    samples: list[ReIDDataSample], rows: Tensor, name: str, features: Tensor
) -> None:
    """Write each row of ``features`` on its sample, in fp32, on the CPU."""
    values = features.detach().float().cpu()
    for row, value in zip(rows.tolist(), values, strict=True):
        samples[row].set_field(value, name)
