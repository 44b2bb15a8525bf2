"""One pass over a dataset, as batches of indices: by chance, or P x K."""

from collections.abc import Callable, Sequence

import numpy as np

Chunks = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Cuts the images of an identity into chunks, ``(chunks, K)``; see ``chunks.py``."""


def random_pass(
    indices: np.ndarray, batch_size: int, rng: np.random.Generator
) -> np.ndarray:
    """Shuffle and cut into batches; the remainder is left for another pass.

    Args:
        indices: ``(N,)``.
        batch_size: Indices in a batch.
        rng: Source of chance.

    Returns:
        ``(N // batch_size, batch_size)``.
    """
    whole = len(indices) // batch_size * batch_size
    return rng.permutation(indices)[:whole].reshape(-1, batch_size)


def identity_pass(
    groups: Sequence[np.ndarray],
    num_ids: int,
    cut: Chunks,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw batches of P identities x K images until fewer than P identities are left.

    The images of an identity are cut into chunks of K. Each batch takes a chunk from
    P different identities, chosen by chance among those that still have one.

    Args:
        groups: Indices of the images of each identity.
        num_ids: P.
        cut: Cuts the images of an identity.
        rng: Source of chance.

    Returns:
        ``(batches, P * K)``, the K of an identity side by side.
    """
    chunks = [list(cut(group, rng)) for group in groups]
    left = list(range(len(groups)))
    batches = []
    while len(left) >= num_ids:
        chosen = rng.choice(len(left), num_ids, replace=False)
        batches.append(np.concatenate([chunks[left[c]].pop() for c in chosen]))
        left = [group for group in left if chunks[group]]
    return np.array(batches)


def count_identity_batches(
    groups: Sequence[np.ndarray], num_ids: int, num_instances: int
) -> int:
    """Return the chunks of all identities, divided by P: the length of an epoch."""
    return sum(max(len(g) // num_instances, 1) for g in groups) // num_ids


def group_by_label(indices: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Return the indices of each label, by rising label.

    Args:
        indices: ``(N,)``.
        labels: Label of each, ``(N,)``.
    """
    order = np.argsort(labels, kind='stable')
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(indices[order], borders)
