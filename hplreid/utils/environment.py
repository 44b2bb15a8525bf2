"""Check the installed packages, and hide messages of theirs without a meaning here."""

import contextlib
import io
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

# Both families write to the folders `mmengine`, `mmcv` and `mmpretrain`: the one
# installed last overwrites a part of the other
_STOCK = ('mmengine', 'mmengine-lite', 'mmcv', 'mmcv-lite', 'mmpretrain')
_CONTINUED = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain')

# mmcv warns that compiled operators are missing, which nothing here uses
_OPS_WARNING = 'Fail to import ``MultiScaleDeformableAttention``'
# mmpretrain prints that a client of its maintainers' service is missing
_SERVICE_MESSAGE = 'Could not import OneDL'


def check_environment() -> None:
    """Reject a mixed installation, and hide two messages that don't concern users.

    Raises:
        ImportError: Packages of both families are installed; the message says how to
            remove one.
    """
    stock = [name for name in _STOCK if _is_installed(name)]
    continued = [name for name in _CONTINUED if _is_installed(name)]
    if stock and continued:
        raise ImportError(
            f'{", ".join(stock)} and {", ".join(continued)} are both installed. They '
            'write to the same folders and break each other. Keep the second:\n'
            f'  pip uninstall -y {" ".join(stock)}\n'
            f'  pip install --force-reinstall --no-deps {" ".join(continued)}'
        )
    warnings.filterwarnings('ignore', message=_OPS_WARNING)
    if not any(isinstance(finder, _QuietFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietFinder())


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


class _QuietFinder(MetaPathFinder):
    """An import finder that gives ``mmpretrain.datasets`` a :class:`_QuietLoader`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """See ``MetaPathFinder``."""
        if fullname != 'mmpretrain.datasets':
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(Loader):
    """A module loader that hides one line which the module prints on import."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """See ``Loader``."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module and print its other lines."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                self._loader.exec_module(module)
        finally:
            for line in printed.getvalue().splitlines():
                if line.strip() != _SERVICE_MESSAGE:
                    print(line)
