"""What queries and a gallery are: captions, images, or features."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import Tensor

from .inputs import InputError, is_image_path


def sort_queries(queries: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """Return queries, several in a list, and whether they are captions.

    Raises:
        InputError: There are none, or they are captions and images at once.

    Example:
        >>> sort_queries('a man in a red coat')
        (['a man in a red coat'], True)
        >>> sort_queries(['query/1.jpg'])
        (['query/1.jpg'], False)
    """
    if isinstance(queries, str):
        return [queries], not is_image_path(queries)
    if not isinstance(queries, Iterable) or hasattr(queries, 'ndim'):
        return queries, False
    if hasattr(queries, 'getpixel'):  # a PIL image
        return queries, False
    listed = list(queries)
    texts = [isinstance(q, str) and not is_image_path(q) for q in listed]
    if not listed:
        raise InputError('There are no queries: expected one at least.')
    if any(texts) and not all(texts):
        raise InputError(
            f'Queries are captions ({listed[texts.index(True)]!r}) and images '
            f'({listed[texts.index(False)]!r}) at once: search for each apart. (A text '
            'is an image if such a file exists, or if it ends like one.)'
        )
    return listed, all(texts)


def are_features(gallery: Any) -> bool:  # noqa: ANN401
    """Return whether a gallery is features, ``(N, d)``, not images.

    Example:
        >>> are_features(np.zeros((5, 64), dtype=np.float32)), are_features('images/')
        (True, False)
    """
    if isinstance(gallery, Tensor):
        return gallery.ndim == 2 and gallery.is_floating_point()
    is_array = isinstance(gallery, np.ndarray)
    return is_array and gallery.ndim == 2 and np.issubdtype(gallery.dtype, np.floating)
