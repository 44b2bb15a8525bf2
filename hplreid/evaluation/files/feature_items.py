"""The items that features are of: images or captions, as they are drawn."""

import numpy as np

from hplreid.structures.ranked_list import RankedItem
from hplreid.utils.user_error import UserError

from .feature_file import FeatureSet

_IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


class UnnamedItemsError(UserError, ValueError):
    """Features don't say of which images or captions they are."""


def is_image_name(name: str) -> bool:
    """Return whether a name is that of an image file, and no caption.

    Example:
        >>> is_image_name('query/0001_c1.JPG'), is_image_name('A man in a red coat.')
        (True, False)
    """
    return name.lower().endswith(_IMAGES)


def name_items(features: FeatureSet) -> tuple[list[RankedItem], list[RankedItem]]:
    """Return the queries and the gallery as items.

    A name with the suffix of an image is a path; any other is a caption.

    Args:
        features: Features with names. Unknown cameras are -1.

    Raises:
        UnnamedItemsError: There are no names.

    Example:
        >>> import numpy as np
        >>> feats, pids = np.ones((1, 4)), np.array([7])
        >>> names = np.array(['a red coat']), np.array(['b.jpg'])
        >>> items = FeatureSet(
        ...     feats, feats, pids, pids, query_names=names[0], gallery_names=names[1]
        ... )
        >>> query, gallery = name_items(items)
        >>> query[0].caption, gallery[0].img_path
        ('a red coat', 'b.jpg')
    """
    if features.query_names is None or features.gallery_names is None:
        raise UnnamedItemsError(
            'The features have no query_names and gallery_names: expected the path of '
            'each image, or its caption, as tools/test.py --dump-features writes them.'
        )
    return (
        _items(features.query_names, features.query_pids, features.query_camids),
        _items(features.gallery_names, features.gallery_pids, features.gallery_camids),
    )


def _items(
    names: np.ndarray, pids: np.ndarray, camids: np.ndarray | None
) -> list[RankedItem]:
    cameras = np.full(len(pids), -1) if camids is None else camids
    return [
        RankedItem(name, None, int(pid), int(camid))
        if is_image_name(name)
        else RankedItem(None, name, int(pid), int(camid))
        for name, pid, camid in zip(names.tolist(), pids, cameras, strict=True)
    ]
