"""The family of errors that a user can mend."""

import re


class UserError(Exception):
    """Something is wrong with what a user gave: a setting, a file, a folder.

    The message says what is wrong, where, what was expected and what to do; tools print
    it without a traceback (:func:`.run_tool.run_tool`). Each error of the package that
    a user can mend inherits from it, besides the built-in class that fits.
    """


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
