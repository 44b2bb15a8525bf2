"""What can be wrong with a gallery, an item or a query."""

from hplreid.utils.user_error import UserError


class GalleryError(UserError, ValueError):
    """A gallery can't be made, opened or searched as it was asked for."""


class GalleryInUseError(GalleryError):
    """Another process has the gallery open."""


class OtherModelError(GalleryError):
    """Features are of another model than those of the gallery."""


class DatabaseError(GalleryError):
    """The database doesn't answer, or is missing."""


class ItemError(UserError, ValueError):
    """An item can't be in a gallery as it is."""


class QueryError(UserError, ValueError):
    """Nothing can be searched for as it was asked."""


class VideoError(UserError, ValueError):
    """People can't be cut out of a video as it was asked for."""
