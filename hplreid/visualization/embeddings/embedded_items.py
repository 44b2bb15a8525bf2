"""The items of a map: those of some identities."""

from dataclasses import dataclass

import numpy as np

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.files import is_image_name
from hplreid.evaluation.inspection import zero_is_a_crowd
from hplreid.evaluation.protocol import JUNK_PID

from ..figures import FigureError

COLORINGS = ('identity', 'camera', 'modality')


@dataclass(frozen=True)
class EmbeddedItems:
    """Items to be shown on a map.

    Attributes:
        feats: Features, normalized, ``(N, D)``.
        pids: Identities, ``(N,)``.
        camids: Cameras, -1 where unknown, ``(N,)``.
        names: Paths or captions, ``(N,)``; empty where unknown.
        captions: Whether an item is a caption, ``(N,)``.
    """

    feats: np.ndarray
    pids: np.ndarray
    camids: np.ndarray
    names: np.ndarray
    captions: np.ndarray

    def groups(self, coloring: str) -> list[str]:
        """Return the group of each item, by what a map is colored by.

        Raises:
            FigureError: The coloring is unknown, or all items are alike in it.
        """
        if coloring not in COLORINGS:
            raise FigureError(
                f"coloring '{coloring}': expected one of {', '.join(COLORINGS)}."
            )
        if coloring == 'modality':
            groups = ['caption' if caption else 'image' for caption in self.captions]
        elif coloring == 'camera':
            groups = [
                f'camera {camid}' if camid >= 0 else 'no camera'
                for camid in self.camids
            ]
        else:
            groups = [f'id {pid}' for pid in self.pids]
        if len(set(groups)) == 1:
            raise FigureError(
                f'All {len(groups)} items are of {groups[0]}: a map colored by '
                f'{coloring} needs two kinds at least.'
            )
        return groups


def choose_items(
    features: FeatureSet, num_identities: int | None = 12, seed: int = 0
) -> EmbeddedItems:
    """Choose queries and gallery items of some identities.

    Args:
        features: The features. Junk, and distractors of identity 0, are left out.
        num_identities: How many, drawn from those with a query and a gallery item;
            None for all.
        seed: Of the draw.

    Raises:
        FigureError: There is no identity, or one alone.

    Example:
        >>> pids = np.array([1, 1, 2])
        >>> items = choose_items(FeatureSet(np.eye(3), np.eye(3), pids, pids))
        >>> items.feats.shape, items.groups('identity')[:3]
        ((6, 3), ['id 1', 'id 1', 'id 2'])
    """
    shared = np.intersect1d(features.query_pids, features.gallery_pids)
    left_out = [JUNK_PID, *([0] if zero_is_a_crowd(features) else [])]
    shared = np.setdiff1d(shared, left_out)
    if len(shared) < 2:
        raise FigureError(
            f'{len(shared)} identity has queries and gallery items: a map shows how '
            'identities lie to each other, and needs two at least.'
        )
    if num_identities is not None and num_identities < len(shared):
        generator = np.random.default_rng(seed)
        shared = generator.choice(shared, num_identities, replace=False)
    sides = [_side(features, side, shared) for side in ('query', 'gallery')]
    feats, pids, camids, names = (
        np.concatenate(parts) for parts in zip(*sides, strict=True)
    )
    norms = np.linalg.norm(feats, axis=1, keepdims=True)
    return EmbeddedItems(
        feats / np.maximum(norms, np.finfo(feats.dtype).tiny),
        pids,
        camids,
        names,
        np.array([bool(name) and not is_image_name(name) for name in names.tolist()]),
    )


def _side(
    features: FeatureSet, side: str, shared: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    pids = getattr(features, f'{side}_pids')
    rows = np.flatnonzero(np.isin(pids, shared))
    camids, names = (getattr(features, f'{side}_{key}') for key in ('camids', 'names'))
    return (
        np.asarray(getattr(features, f'{side}_feats')[rows], dtype=np.float64),
        pids[rows],
        np.full(len(rows), -1) if camids is None else camids[rows],
        np.full(len(rows), '') if names is None else names[rows],
    )
