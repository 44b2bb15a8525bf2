"""Features in a plane: PCA, t-SNE, UMAP."""

import numpy as np
from threadpoolctl import threadpool_limits

from hplreid.utils.user_error import MissingPackageError

from ..figures import FigureError

METHODS = ('pca', 'tsne', 'umap')
_ALONE = 5000  # items below which one thread is as fast as several


def project(
    feats: np.ndarray,
    method: str = 'tsne',
    seed: int = 0,
    perplexity: float = 30.0,
) -> tuple[np.ndarray, str]:
    """Project features to two dimensions.

    Distances between far groups mean something in PCA alone; in t-SNE and UMAP,
    neighbors do. All are scikit-learn's and umap-learn's.

    Args:
        feats: Normalized features, ``(N, D)``, of which Euclidean distances rank as
            cosine similarities do.
        method: ``'pca'``, ``'tsne'`` (begun from PCA) or ``'umap'``.
        seed: Of t-SNE and UMAP.
        perplexity: About how many neighbors of an item count, of t-SNE and UMAP; at
            most a third of the items.

    Returns:
        Places, ``(N, 2)``, and what they are, in words.

    Raises:
        FigureError: The method is unknown, or there are fewer than four items.
        MissingPackageError: scikit-learn or umap-learn isn't installed.

    Example:
        >>> places, words = project(np.eye(4), 'pca')
        >>> places.shape, words
        ((4, 2), 'PCA, 66.7 % of the variance')
    """
    if method not in METHODS:
        raise FigureError(f"method '{method}': expected one of {', '.join(METHODS)}.")
    if len(feats) < 4:
        raise FigureError(f'A map needs four items at least; got {len(feats)}.')
    neighbors = min(perplexity, (len(feats) - 1) / 3)
    if method == 'umap':
        return _umap(feats, seed, max(2, round(neighbors)))
    try:
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingPackageError(
            f"'{method}' needs scikit-learn: pip install 'hplreid[embeddings]'."
        ) from error
    if method == 'pca':
        pca = PCA(2, svd_solver='full').fit(feats)
        share = 100 * pca.explained_variance_ratio_.sum()
        return pca.transform(feats), f'PCA, {share:.1f} % of the variance'
    tsne = TSNE(
        perplexity=neighbors, init='pca', learning_rate='auto', random_state=seed
    )
    # scikit-learn's threads wait for each other in a loop: on busy cores, for a minute
    with threadpool_limits(1 if len(feats) < _ALONE else None):
        places = tsne.fit_transform(feats)
    return places, f't-SNE, perplexity {neighbors:.3g}, seed {seed}'


def _umap(feats: np.ndarray, seed: int, neighbors: int) -> tuple[np.ndarray, str]:
    try:
        from umap import UMAP
    except ImportError as error:
        raise MissingPackageError(
            "'umap' needs umap-learn: pip install 'hplreid[umap]'."
        ) from error
    # One job: with a seed it takes no more, and says so
    mapper = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
    places = np.asarray(mapper.fit_transform(feats))
    return places, f'UMAP, {neighbors} neighbors, seed {seed}'
