"""Features averaged with those of their nearest gallery items."""

import torch
from torch import Tensor

from ..block_distance import BlockDistance
from ..distance import Features, feature_norms
from ..k_smallest import smallest


@torch.no_grad()
def average_query_expansion(
    query_feats: Features,
    gallery_feats: Features,
    k: int = 10,
    alpha: float = 0.0,
    *,
    block_size: int = 256,
) -> Tensor:
    """Average each query with its k nearest gallery items.

    A neighbor weighs its cosine similarity to the power of alpha, the query itself 1.
    Chum et al., `Total Recall <https://doi.org/10.1109/ICCV.2007.4408891>`_ (alpha 0);
    Radenovic et al., `Fine-tuning CNN Image Retrieval with No Human Annotation
    <https://arxiv.org/abs/1711.02512>`_ (alpha above 0; theirs is 3).

    Args:
        query_feats: ``(Q, D)``, array or tensor; its length doesn't matter.
        gallery_feats: ``(G, D)``, on the same device.
        k: Neighbors, at least 1; all, if there are fewer. Equally close ones are taken
            in the order of the gallery.
        alpha: At least 0. Above it what isn't similar (a cosine below 0) weighs
            nothing.
        block_size: Queries at a time: memory is ``block_size * G`` similarities.

    Returns:
        Normalized, ``(Q, D)``.

    Raises:
        ValueError: An option or a feature is wrong.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import average_query_expansion
        >>> gallery = np.array([[0.0, 1.0], [1.0, 0.0]])
        >>> average_query_expansion(np.array([[0.6, 0.8]]), gallery, k=1)
        tensor([[0.3162, 0.9487]], dtype=torch.float64)
    """
    similarity = BlockDistance.between(query_feats, gallery_feats, 'cosine')
    return _expand(similarity, k, alpha, block_size, leave_out_itself=False)


@torch.no_grad()
def augment_gallery(
    gallery_feats: Features, k: int = 10, alpha: float = 0.0, *, block_size: int = 256
) -> Tensor:
    """Average each gallery item with its k nearest others (database augmentation).

    Weights are those of :func:`average_query_expansion`. Turcot and Lowe, `Better
    Matching with Fewer Features <https://doi.org/10.1109/ICCVW.2009.5457541>`_.

    Args:
        gallery_feats: ``(G, D)``.
        k: Neighbors, at least 1; all others, if there are fewer.
        alpha: At least 0.
        block_size: Items at a time.

    Returns:
        Normalized, ``(G, D)``.

    Raises:
        ValueError: An option or a feature is wrong.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation import augment_gallery
        >>> augment_gallery(np.array([[1.0, 0.0], [0.0, 1.0]]), k=1).shape
        torch.Size([2, 2])
    """
    similarity = BlockDistance.between(gallery_feats, gallery_feats, 'cosine')
    return _expand(similarity, k, alpha, block_size, leave_out_itself=True)


def _expand(
    similarity: BlockDistance,
    k: int,
    alpha: float,
    block_size: int,
    *,
    leave_out_itself: bool,
) -> Tensor:
    for name, value in (('k', k), ('block_size', block_size)):
        if int(value) != value or value < 1:
            raise ValueError(f'{name} must be an integer from 1; got {value}.')
    if not alpha >= 0:
        raise ValueError(f'alpha must be at least 0; got {alpha}.')
    feats, gallery = similarity.query.rounded, similarity.gallery.rounded
    k = min(k, len(gallery) - leave_out_itself)
    if k == 0:  # a gallery of one item
        return feats
    parts = []
    for start in range(0, len(feats), block_size):
        own = feats[start : start + block_size]
        opposite = similarity.block(start, start + len(own))
        if leave_out_itself:
            opposite.diagonal(start).fill_(torch.inf)
        values, columns = smallest(opposite, k)
        cosines = -torch.from_numpy(values).to(own.device)
        weights = cosines.clamp(min=0) ** alpha
        nearest = gallery[torch.from_numpy(columns).long().to(own.device)]
        total = own.clone()
        for place in range(k):  # not as a product, whose order isn't fixed
            total += weights[:, place : place + 1] * nearest[:, place]
        parts.append(total)
    expanded = torch.cat(parts)
    return expanded / feature_norms(expanded, 'features').clamp_min(1e-12)
