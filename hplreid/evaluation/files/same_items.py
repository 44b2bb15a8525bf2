"""Whether files of features hold the same queries and the same gallery."""

from collections.abc import Mapping

import numpy as np

from hplreid.utils.user_error import UserError

from .feature_file import FeatureSet


class OtherItemsError(UserError, ValueError):
    """Features are of other queries or another gallery, or by another protocol."""


def check_same_items(features: Mapping[str, FeatureSet]) -> None:
    """Check that the queries and galleries of several models are the same, in order.

    Args:
        features: The features of each model, by its name.

    Raises:
        OtherItemsError: Numbers, identities, cameras, names or the camera rule differ.

    Example:
        >>> import numpy as np
        >>> feats = np.ones((2, 4))
        >>> a = FeatureSet(feats, feats, np.array([1, 2]), np.array([1, 2]))
        >>> b = FeatureSet(feats, feats, np.array([1, 3]), np.array([1, 2]))
        >>> check_same_items({'a': a, 'also a': a})
        >>> check_same_items({'a': a, 'b': b})
        Traceback (most recent call last):
        ...
        hplreid.evaluation.files.same_items.OtherItemsError: a and b are not of the ...
    """
    (first, one), *others = features.items()
    for name, other in others:
        differing = [
            f'{key} ({_describe(one, key)} and {_describe(other, key)})'
            for key in (
                *('query_pids', 'gallery_pids', 'query_camids', 'gallery_camids'),
                *('query_names', 'gallery_names', 'same_camera'),
            )
            if _differ(getattr(one, key), getattr(other, key))
        ]
        if differing:
            raise OtherItemsError(
                f'{first} and {name} are not of the same benchmark: '
                f'{", ".join(differing)}. Expected the features of two models on one '
                'benchmark, by one protocol.'
            )


def _differ(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return not np.array_equal(one, other)
    return one != other if isinstance(one, (str, type(None))) else True


def _describe(features: FeatureSet, key: str) -> str:
    value = getattr(features, key)
    if isinstance(value, np.ndarray):
        return f'{len(value):,} items'
    return 'none' if value is None else str(value)
