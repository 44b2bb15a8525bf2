"""What a visitor of the page asks for, as they go."""

from dataclasses import dataclass, field

from hplreid.apis.inputs import ImageSource

from ..query import Query
from .uploads import MOST_IMAGES, UploadError


@dataclass
class Asked:
    """The parts of a query that are changed one at a time.

    Attributes:
        words: A caption; empty for none.
        images: Images of the person.
        weight: Of the words beside images.
        like: Ids of items that show the person.
        unlike: Ids of items that don't.

    Example:
        >>> asked = Asked(words=' a man in a red coat ')
        >>> asked.mark('7', like=True)
        >>> asked.mark('7', like=False)
        >>> asked.query().words, asked.like, asked.unlike
        (('a man in a red coat',), [], ['7'])
    """

    words: str = ''
    images: list[ImageSource] = field(default_factory=list)
    weight: float = 0.5
    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def add_image(self, image: ImageSource) -> None:
        """Add an image of the person.

        Raises:
            UploadError: There are many already.
        """
        if len(self.images) >= MOST_IMAGES:
            raise UploadError(
                f'There are {MOST_IMAGES} images of the person already: remove one '
                'before you add another.'
            )
        self.images.append(image)

    def mark(self, id_: str, *, like: bool) -> None:
        """Say of an item that it shows the person, or that it doesn't."""
        self.unmark(id_)
        (self.like if like else self.unlike).append(id_)

    def unmark(self, id_: str) -> None:
        """Say nothing of an item."""
        self.like = [i for i in self.like if i != id_]
        self.unlike = [i for i in self.unlike if i != id_]

    def has_both(self) -> bool:
        """Return whether words stand beside images, so that a weight matters."""
        return bool(self.words.strip()) and bool(self.images or self.like)

    def query(self) -> Query:
        """Return it as a query.

        Raises:
            QueryError: There is nothing to search for.
        """
        words = self.words.strip()
        return Query(
            tuple(self.images),
            (words,) if words else (),
            self.weight,
            tuple(self.like),
            tuple(self.unlike),
        )
