"""What goes wrong with exported models, and the packages that they need."""

from __future__ import annotations

import importlib
from types import ModuleType

from hplreid.utils.user_error import MissingPackageError, UserError


class ExportError(UserError, ValueError):
    """A model can't be exported, or a folder has no exported model."""


def import_extra(name: str) -> ModuleType:
    """Import a package of the extra ``onnx``.

    Raises:
        MissingPackageError: It isn't installed.

    Example:
        >>> import_extra('no_such_package')
        Traceback (most recent call last):
        ...
        hplreid...MissingPackageError: no_such_package isn't installed, which ONNX ...
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingPackageError(
            f"{name.split('.')[0]} isn't installed, which ONNX needs: "
            "pip install 'hplreid[onnx]'."
        ) from None
