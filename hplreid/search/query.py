"""Queries: what is searched for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hplreid.apis.inputs import Images, ImageSource, iter_captions, iter_images

from .errors import QueryError


@dataclass(frozen=True)
class Query:
    """A person who is searched for: by images, words, hits of before, or all of them.

    An item's score is the mean of its similarities to the images and to the items that
    are ``like`` the person, joined with the mean of its similarities to the words;
    minus a part of the mean of its similarities to the items that are not.

    Attributes:
        images: One or several, see :func:`.iter_images`.
        words: A caption, or several.
        weight: Of the words, from 0 to 1, where there are images, too.
        like: Ids of items that show the person: "more like this".
        unlike: Ids of items that don't: "not like this".

    Raises:
        QueryError: There is nothing to search for, or a value is of another kind.
        InputError: Words are no text, or an image is none.
        MissingDataError: An image doesn't exist.

    Example:
        >>> Query(words='a man in a red coat').words
        ('a man in a red coat',)
        >>> Query(unlike=['7'])
        Traceback (most recent call last):
        ...
        hplreid...QueryError: There is nothing to search for: give images, words or ...
    """

    images: Images = ()
    words: str | Iterable[str] = ()
    weight: float = 0.5
    like: Sequence[str] = ()
    unlike: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, 'images', tuple(iter_images(self.images)))
        object.__setattr__(self, 'words', tuple(iter_captions(self.words)))
        for name in ('like', 'unlike'):
            object.__setattr__(self, name, _check_ids(name, getattr(self, name)))
        number = isinstance(self.weight, int | float) and not isinstance(
            self.weight, bool
        )
        if not number or not 0 <= self.weight <= 1:
            raise QueryError(f'weight={self.weight!r}: expected a number from 0 to 1.')
        if not (self.images or self.words or self.like):
            raise QueryError(
                'There is nothing to search for: give images, words or items that are '
                'like the person.'
            )
        if both := {*self.like} & {*self.unlike}:
            raise QueryError(f'Item {min(both)!r} is in like and in unlike.')

    def describe(self) -> dict[str, Any]:
        """Return it in values that JSON can hold."""
        sources: tuple[ImageSource, ...] = self.images  # type: ignore[assignment]
        given = dict(
            images=[source.name for source in sources],
            words=list(self.words),
            like=list(self.like),
            unlike=list(self.unlike),
        )
        described: dict[str, Any] = {k: v for k, v in given.items() if v}
        if self.words and (self.images or self.like):
            described['weight'] = self.weight
        return described


def _check_ids(name: str, ids: Any) -> tuple[str, ...]:  # noqa: ANN401
    listed = (ids,) if isinstance(ids, str) else tuple(ids)
    if strange := [i for i in listed if not isinstance(i, str) or not i]:
        raise QueryError(f'{name} has {strange[0]!r}: expected the id of an item.')
    return tuple(dict.fromkeys(listed))
