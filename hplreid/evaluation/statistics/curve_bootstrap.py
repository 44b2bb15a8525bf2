"""Bootstrap bands of curves that are means over queries."""

import numpy as np

_BATCH = 2**22  # numbers at once: 32 MiB


def bootstrap_band(
    values: np.ndarray,
    groups: np.ndarray,
    *,
    confidence: float = 0.95,
    num_resamples: int = 1999,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a percentile bootstrap interval at each point of a mean curve.

    Identities are drawn anew, with all their queries, as in :func:`.bootstrap_mean`.
    The band is pointwise: at each point it holds the true mean in ``confidence`` of
    the cases, not at all of them together.

    Args:
        values: A curve of each query that counts, ``(Q, K)``.
        groups: Identity of each query, ``(Q,)``.
        confidence: In (0, 1).
        num_resamples: Number of draws.
        seed: Of the draws.

    Returns:
        Lower and upper ends, ``(K,)`` each.

    Raises:
        ValueError: Shapes differ, or there are fewer than two groups.

    Example:
        >>> import numpy as np
        >>> curves = np.repeat([[0.0, 100.0], [100.0, 100.0]], 20, axis=0)
        >>> low, high = bootstrap_band(curves, np.arange(40))
        >>> bool(low[0] < 50 < high[0]), low[1].item(), high[1].item()
        (True, 100.0, 100.0)
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) != len(groups):
        raise ValueError(
            f'values must be (Q, K) and groups (Q,); got {values.shape} and '
            f'{np.shape(groups)}.'
        )
    _, index = np.unique(groups, return_inverse=True)
    counts = np.bincount(index).astype(float)
    if len(counts) < 2:
        raise ValueError('An interval needs queries of two identities at least.')
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, index, values)
    generator = np.random.default_rng(seed)
    share = np.full(len(counts), 1 / len(counts))
    step = max(1, _BATCH // len(counts))
    means = []
    for begin in range(0, num_resamples, step):
        size = min(step, num_resamples - begin)
        # How often each identity is drawn
        drawn = generator.multinomial(len(counts), share, size).astype(float)
        means.append((drawn @ sums) / (drawn @ counts)[:, None])
    ends = 50 * (1 - confidence), 50 * (1 + confidence)
    low, high = np.percentile(np.concatenate(means), ends, axis=0)
    return low, high
