"""Reading on past faults, for programs that look for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import AnnotationError, MissingDataError

Fault = MissingDataError | AnnotationError

_noted: ContextVar[list[Fault] | None] = ContextVar('noted', default=None)


@contextmanager
def noting_faults() -> Iterator[list[Fault]]:
    """Note what goes wrong in :func:`tolerable` parts below, instead of raising it.

    Yields:
        The errors, in the order in which they came up; more are added on the way.
    """
    faults: list[Fault] = []
    token = _noted.set(faults)
    try:
        yield faults
    finally:
        _noted.reset(token)


@contextmanager
def tolerable() -> Iterator[None]:
    """Mark a check after which reading can go on with what is sound.

    Its error is raised as ever, unless :func:`noting_faults` is in effect.
    """
    try:
        yield
    except (MissingDataError, AnnotationError) as error:
        faults = _noted.get()
        if faults is None:
            raise
        faults.append(error)
