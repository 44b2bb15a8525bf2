"""Collecting faults of a dataset instead of stopping at the first one.

Datasets raise on faulty data. The doctor wants all faults of a dataset, so it reads
inside :func:`collect_faults`; checks after which reading can continue are wrapped in
:func:`raise_or_collect`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import AnnotationError, MissingDataError

Fault = MissingDataError | AnnotationError

_collected: ContextVar[list[Fault] | None] = ContextVar('collected', default=None)


@contextmanager
def collect_faults() -> Iterator[list[Fault]]:
    """Collect the errors of :func:`raise_or_collect` blocks instead of raising them.

    Yields:
        The errors in the order in which they occur; the list grows during the block.

    Example:
        >>> with collect_faults() as faults:
        ...     with raise_or_collect():
        ...         raise AnnotationError('entry 3 has no caption')
        >>> faults
        [AnnotationError('entry 3 has no caption')]
    """
    faults: list[Fault] = []
    token = _collected.set(faults)
    try:
        yield faults
    finally:
        _collected.reset(token)


@contextmanager
def raise_or_collect() -> Iterator[None]:
    """Wrap a check after which the sound part of the data can still be read.

    Its error is raised as usual, or collected inside :func:`collect_faults`.
    """
    try:
        yield
    except (MissingDataError, AnnotationError) as error:
        faults = _collected.get()
        if faults is None:
            raise
        faults.append(error)
