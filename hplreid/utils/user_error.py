"""The family of errors that a user can mend."""

import re
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something is wrong with what a user gave: a setting, a file, a folder.

    The message says what is wrong, where, what was expected and what to do; tools print
    it without a traceback (:func:`.run_tool.run_tool`). Each error of the package that
    a user can mend inherits from it, besides the built-in class that fits.
    """


class MissingPackageError(UserError, ImportError):
    """An optional package isn't installed."""


@contextmanager
def as_user_errors(*kinds: type[Exception], where: str = '') -> Iterator[None]:
    """Raise a :class:`UserError` for errors of some kinds.

    For tools, around calls whose errors of these kinds come from what a user gave.

    Args:
        *kinds: The kinds.
        where: What the message begins with: the file that was read, say.

    Example:
        >>> with as_user_errors(FileNotFoundError, where='runs/a'):
        ...     raise FileNotFoundError('there is no metrics.json')
        Traceback (most recent call last):
        ...
        hplreid.utils.user_error.UserError: runs/a: there is no metrics.json
    """
    try:
        yield
    except UserError as error:
        if not where:
            raise
        raise UserError(f'{where}: {error}') from error
    except kinds as error:
        plain = isinstance(error, KeyError) and error.args
        text = str(error.args[0]) if plain else str(error)
        raise UserError(f'{where}: {text}' if where else text) from error


def plain_message(error: BaseException) -> str:
    """Return the message of an error, without the traceback of a dataloader's worker.

    PyTorch raises the error of a worker again, with all of its traceback as message.

    Example:
        >>> plain_message(UserError('Image a.jpg is cut short.'))
        'Image a.jpg is cut short.'
    """
    text = str(error)
    if not text.startswith('Caught ') or '\nOriginal Traceback' not in text:
        return text
    last = rf'^(?:\w+\.)*{type(error).__name__}: '
    return re.split(last, text, flags=re.MULTILINE)[-1].strip()
