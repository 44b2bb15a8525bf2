"""The plain algorithms on full matrices, from their definitions; slow and for tests."""

import numpy as np

KIND = {'original': 1, 'transreid': 1, 'torchreid': 2, 'fastreid': 1}


def squared_distances(feats):
    return ((feats[:, None] - feats[None]) ** 2).sum(-1)


def dense_rerank(squares, num_queries, k1, k2, share, variant='original'):
    """Return ``(Q, G)`` from all squared distances ``(N, N)``, one item at a time."""
    total = len(squares)
    fast_reid = variant == 'fastreid'
    if variant == 'torchreid':
        squares = squares**2
    original = squares.astype(np.float64)
    if not fast_reid:
        greatest = squares.max(axis=1, keepdims=True)
        original = squares / np.where(greatest > 0, greatest, 1)
    ranked = squares.argsort(axis=1, kind='stable')
    if fast_reid:
        ranked = ranked[:, :k1]

    def mutual(i, k):
        return {j for j in ranked[i, : k + 1] if i in ranked[j, : k + 1]}

    sets = [mutual(i, k1) for i in range(total)]
    small = [mutual(i, int(np.around(k1 / 2))) for i in range(total)]
    vectors = np.zeros((total, total))
    for i in range(total):
        widened = set(sets[i])
        for j in sets[i]:
            if len(small[j] & sets[i]) > 2 / 3 * len(small[j]):
                widened |= small[j]
        for j in widened:
            vectors[i, j] = np.exp(-original[i, j])
        vectors[i] /= max(vectors[i].sum(), 1e-300)
    if k2 > 1:
        vectors = np.stack([vectors[row[:k2]].mean(axis=0) for row in ranked])
    result = np.empty((num_queries, total - num_queries))
    for i in range(num_queries):
        for j in range(num_queries, total):
            common = np.minimum(vectors[i], vectors[j]).sum()
            jaccard = 1 - common / (2 - common)
            result[i, j - num_queries] = (1 - share) * jaccard + share * original[i, j]
    return result
