"""Propot: Prototypical Prompting for text-to-image person ReID (ACM MM 2024)."""

from collections.abc import Sequence

from hplreid.registry import MODELS

from .dual_encoder import DualEncoder


@MODELS.register_module()
class Propot(DualEncoder):
    """Two towers, and prototypes of identities that instances are pulled to.

    Four steps lead to a prototype: it is initialized from the features of CLIP as it
    was (here, a stage's ``init_features``), adapted to the task (DPP), enriched by the
    instances of the batch (IPP), and the outcomes are aggregated (APA), all of that in
    :class:`PrototypeContrastHead`. Inference runs the two towers alone.

    Only the defaults differ from :class:`DualEncoder`, for prototypes don't belong to
    one method: HPL takes them, and the head, by its config alone.

    Args:
        image_encoder: See :class:`DualEncoder`, also for the arguments not listed.
        text_encoder: See there.
        heads: See there.
        num_ids: See there.
        i2i_feature: See there.
        t2i_feature: See there.
        train_captions: See there; ``'masked'`` is Propot's augmentation of captions.
        necks: See there.
        data_preprocessor: See there.
        prototypes: See there.
    """

    def __init__(
        self,
        image_encoder: dict,
        text_encoder: dict,
        heads: dict[str, list[dict]] | None = None,
        num_ids: int | None = None,
        i2i_feature: str | Sequence[str] | None = None,
        t2i_feature: str = 'v',
        train_captions: str = 'masked',
        necks: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        prototypes: str | None = 'mean',
    ) -> None:
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
