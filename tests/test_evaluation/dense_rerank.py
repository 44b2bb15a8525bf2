"""k-reciprocal re-ranking from its definition: full matrices, one item at a time."""

import numpy as np


def squared_distances(feats):
    """All squared Euclidean distances, ``(N, N)``."""
    return ((feats[:, None] - feats[None]) ** 2).sum(-1)


def dense_rerank(distances, num_queries, k1, k2, share, *, fastreid=False, add=None):
    """Return ``(Q, G)``.

    Args:
        distances: Of all N items, queries first, ``(N, N)``.
        num_queries: Q.
        k1: Neighbors beside the item itself; with it, for fast-reid.
        k2: Items averaged over.
        share: Lambda.
        fastreid: Whether distances are taken as they are, not relative.
        add: What is added in the end where that isn't the distance, ``(N, N)``.
    """
    total = len(distances)
    ranked = distances.argsort(axis=1, kind='stable')
    if fastreid:
        relative, ranked = distances, ranked[:, :k1]
    else:
        greatest = distances.max(axis=1, keepdims=True)
        relative = distances / np.where(greatest > 0, greatest, 1)

    vectors = encode(ranked, relative, k1, k2)
    added = relative if add is None else add
    result = np.empty((num_queries, total - num_queries))
    for i in range(num_queries):
        for j in range(num_queries, total):
            common = np.minimum(vectors[i], vectors[j]).sum()
            jaccard = 1 - common / (2 - common)
            result[i, j - num_queries] = (1 - share) * jaccard + share * added[i, j]
    return result


def encode(ranked, relative, k1, k2):
    """Return the vectors of all items, ``(N, N)``, from who is near to whom."""
    total = len(ranked)

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
            vectors[i, j] = np.exp(-relative[i, j])
        if widened:
            vectors[i] /= vectors[i].sum()
    if k2 > 1:
        vectors = np.stack([vectors[row[:k2]].mean(axis=0) for row in ranked])
    return vectors
