"""How far captions lie from images in the space that they share."""

from dataclasses import dataclass

import numpy as np

from ..figures import FigureError


@dataclass(frozen=True)
class ModalityGap:
    """The gap between images and captions, all of length 1.

    Attributes:
        distance: Distance of the mean image from the mean caption, in [0, 2]: the gap
            of Liang et al. (https://arxiv.org/abs/2203.02053).
        own_image: Mean cosine similarity of a caption to images of its identity.
        other_image: Mean cosine similarity of a caption to images of others.
        same_modality: Mean cosine similarity of two different images.
    """

    distance: float
    own_image: float
    other_image: float
    same_modality: float

    def __str__(self) -> str:
        return (
            f'modality gap {self.distance:.3f} | caption to own images '
            f'{self.own_image:.3f}, to others {self.other_image:.3f} | image to image '
            f'{self.same_modality:.3f}'
        )


def measure_gap(
    image_feats: np.ndarray,
    caption_feats: np.ndarray,
    image_pids: np.ndarray,
    caption_pids: np.ndarray,
) -> ModalityGap:
    """Measure the gap.

    Args:
        image_feats: ``(N, D)``; they are normalized here.
        caption_feats: ``(M, D)``, likewise.
        image_pids: ``(N,)``.
        caption_pids: ``(M,)``.

    Raises:
        FigureError: There are no images or no captions.

    Example:
        >>> images = np.array([[1.0, 0.0], [1.0, 0.0]])
        >>> captions = np.array([[0.0, 2.0]])
        >>> gap = measure_gap(images, captions, np.array([1, 2]), np.array([1]))
        >>> round(gap.distance, 3), gap.own_image, gap.same_modality
        (1.414, 0.0, 1.0)
    """
    if not len(image_feats) or not len(caption_feats):
        raise FigureError(
            f'A gap between images and captions needs both; got {len(image_feats)} '
            f'images and {len(caption_feats)} captions.'
        )
    images, captions = _normalize(image_feats), _normalize(caption_feats)
    products = captions @ images.T
    own = caption_pids[:, None] == image_pids[None]
    total = images.sum(0)
    pairs = len(images) * (len(images) - 1)
    between = (total @ total - len(images)) / pairs if pairs else np.nan
    return ModalityGap(
        distance=float(np.linalg.norm(images.mean(0) - captions.mean(0))),
        own_image=float(products[own].mean()) if own.any() else np.nan,
        other_image=float(products[~own].mean()) if not own.all() else np.nan,
        same_modality=float(between),
    )


def _normalize(feats: np.ndarray) -> np.ndarray:
    feats = np.asarray(feats, dtype=np.float64)
    norms = np.linalg.norm(feats, axis=1, keepdims=True)
    return feats / np.maximum(norms, np.finfo(float).tiny)
