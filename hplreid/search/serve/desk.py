"""What the page asks a gallery, one question at a time."""

import io
import tempfile
from dataclasses import replace
from pathlib import Path
from threading import Lock

from PIL import Image

from ..calibration import Calibration
from ..errors import ItemError
from ..filters import Filters
from ..gallery import Gallery
from ..hits import Found
from ..query import Query
from ..reports import write_found

_TALLEST = 512  # pixels of an image on the page


class SearchDesk:
    """A gallery that several pages ask at once, and what it is called.

    Args:
        gallery: Open, with its model.
        title: What the gallery is.
        model: What the model is.

    Example:
        >>> import numpy as np
        >>> from hplreid.search import Item, ModelKey
        >>> key = ModelKey('0a', '1b', dict(i2i=2), 'ImageReID')
        >>> with Gallery.create('people', key) as gallery:
        ...     features = dict(i2i=np.eye(2, dtype=np.float32))
        ...     gallery.add([Item('a', camera='north'), Item('b')], features)
        ...     desk = SearchDesk(gallery, 'A gallery', 'none')
        ...     found = desk.search(Query(like=['a']), 5, Filters())
        >>> [hit.item.id for hit in found.hits], desk.cameras
        (['b'], {'north': 1})
    """

    def __init__(self, gallery: Gallery, title: str, model: str) -> None:
        self._gallery, self._lock = gallery, Lock()
        self.title, self.model = title, model
        self.count = gallery.count()
        self.cameras, self.sources = gallery.cameras(), gallery.sources()
        self.reads_words = 't2i' in gallery.tasks

    def search(self, query: Query, topk: int, filters: Filters) -> Found:
        """Search; see :meth:`.Gallery.search`."""
        with self._lock:
            return self._gallery.search(query, topk, filters)

    def calibration(self, query: Query) -> Calibration | None:
        """Return the thresholds for a query; None where they don't apply."""
        shown = len(query.images) + len(query.like)  # type: ignore[arg-type]
        if shown + len(tuple(query.words)) != 1 or query.unlike:
            return None
        return self._gallery.calibration('i2i' if shown else 't2i')

    def image(self, id_: str) -> bytes:
        """Return the image of an item as JPEG, encoded anew: pixels and nothing else.

        Raises:
            ItemError: There is no such item, or its path leads out of the gallery.
            MissingDataError: Its file doesn't exist.
            UnreadableImageError: It can't be decoded.
        """
        with self._lock:
            item = self._gallery.get([id_]).get(id_)
        if item is None:
            raise ItemError(f'There is no item {id_!r}.')
        return encode_jpeg(self._gallery.image(item))

    def export(
        self, found: Found, suffix: str, threshold: float, far: float | None
    ) -> bytes:
        """Return hits as a file.

        Args:
            found: The hits.
            suffix: ``'.csv'`` or ``'.json'``; see :func:`.write_found`.
            threshold: The score from which hits are matches.
            far: Its false-accept rate, a share; None if it isn't known.
        """
        hits = [replace(hit, match=hit.score >= threshold) for hit in found.hits]
        found = replace(found, hits=hits, threshold=threshold, far=far)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f'found{suffix}'
            write_found(found, path, self._gallery)
            return path.read_bytes()


def encode_jpeg(image: Image.Image) -> bytes:
    """Return an image as JPEG, at most 512 pixels a side.

    Example:
        >>> data = encode_jpeg(Image.new('RGB', (1024, 2048)))
        >>> Image.open(io.BytesIO(data)).size
        (256, 512)
    """
    small = image.copy()
    small.thumbnail((_TALLEST, _TALLEST))
    buffer = io.BytesIO()
    small.save(buffer, 'JPEG', quality=92)
    return buffer.getvalue()
