"""Cutting the images of one identity into chunks of K: by chance, or by camera."""

import numpy as np

from .epoch_passes import random_pass


def random_chunks(
    group: np.ndarray, num_instances: int, rng: np.random.Generator
) -> np.ndarray:
    """Shuffle and cut; leave out a remainder; draw fewer than K with replacement.

    Args:
        group: Indices of the images, ``(n,)``.
        num_instances: K.
        rng: Source of chance.

    Returns:
        ``(max(n // K, 1), K)``.
    """
    if len(group) < num_instances:
        return rng.choice(group, (1, num_instances), replace=True)
    return random_pass(group, num_instances, rng)


def camera_chunks(
    group: np.ndarray,
    cameras: np.ndarray,
    num_instances: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Cut so that the chunks have images of as many cameras as they can.

    The images of each camera are shuffled. A chunk takes its images one by one: of
    a camera that it has none of yet, if there is one, and of several such cameras that
    with the most images left, ties by chance. So a chunk has ``min(K, cameras that
    have images left)`` cameras, no image comes twice, and a remainder is left out.
    An identity with fewer than K images gives all of them, and some again by the same
    rule.

    The aim is that of fast-reid's ``BalancedIdentitySampler``, whose rule is another:
    an image by chance and K - 1 of other cameras, which may share one; an epoch has
    one such chunk of each identity.

    Args:
        group: Indices of the images, ``(n,)``.
        cameras: Camera of each, ``(n,)``.
        num_instances: K.
        rng: Source of chance.

    Returns:
        ``(max(n // K, 1), K)``, in random order.
    """
    chunks = []
    decks = _shuffled_decks(group, cameras, rng)
    for _ in range(max(len(group) // num_instances, 1)):
        chunk = _deal(decks, num_instances, rng)
        while len(chunk) < num_instances:  # the identity has fewer
            again = _shuffled_decks(group, cameras, rng)
            chunk += _deal(again, num_instances - len(chunk), rng)
        chunks.append(chunk)
    # Late chunks have fewer cameras, and a pass may not come to an identity's last one
    return rng.permutation(np.array(chunks))


def _shuffled_decks(
    group: np.ndarray, cameras: np.ndarray, rng: np.random.Generator
) -> list[list[int]]:
    return [
        rng.permutation(group[cameras == camera]).tolist()
        for camera in np.unique(cameras)
    ]


def _deal(decks: list[list[int]], count: int, rng: np.random.Generator) -> list[int]:
    """Take ``count`` images off the decks, or as many as there are."""
    order = rng.permutation(len(decks)).tolist()
    hand: list[int] = []
    used: set[int] = set()
    while len(hand) < count and any(decks):
        left = [deck for deck in order if decks[deck]]
        best = max(left, key=lambda deck: (deck not in used, len(decks[deck])))
        used.add(best)
        hand.append(decks[best].pop())
    return hand
