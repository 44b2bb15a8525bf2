"""A config file and the files that it is based on, parsed."""

import ast
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

from hplreid.registry import SCOPE

from ..errors import ConfigError, explain, suggest

_SUFFIXES = ('.py', '.json', '.yaml', '.yml')


@dataclass(frozen=True)
class ConfigFile:
    """A config file.

    Attributes:
        path: The file, from the current folder where it lies in it.
        tree: Its syntax; None unless it is Python.
        bases: The files of its ``_base_``.
    """

    path: Path
    tree: ast.Module | None
    bases: tuple['ConfigFile', ...] = ()

    def find_value(self, name: str) -> ast.expr | None:
        """Return the expression that the file last gives to a name at its top."""
        found = None
        for statement in self.tree.body if self.tree else ():
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign) and statement.value:
                targets = [statement.target]
            else:
                continue
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                found = statement.value
        return found


def read_family(path: str | Path) -> ConfigFile:
    """Parse a config file and all that it is based on.

    Raises:
        ConfigError: A file is missing, isn't a config, has a syntax error, or is its
            own base; the message says which and where.

    Example:
        >>> from pathlib import Path
        >>> _ = Path('a.py').write_text('epochs = 5')
        >>> _ = Path('b.py').write_text("_base_ = 'a.py'")
        >>> [base.path.name for base in read_family('b.py').bases]
        ['a.py']
    """
    with bases_by_name():
        return _read(Path(path), ())


def _read(path: Path, chain: tuple[Path, ...]) -> ConfigFile:
    resolved = path.expanduser().resolve()
    if resolved in chain:
        circle = [*chain[chain.index(resolved) :], resolved]
        raise ConfigError(
            '_base_: the files are based on each other in a circle: '
            + ' -> '.join(str(shorten(p)) for p in circle)
            + '. Take one of them out of a _base_.'
        )
    _check_file(path.expanduser(), chain)
    shown = shorten(resolved)
    tree = None
    if resolved.suffix == '.py':
        try:
            tree = ast.parse(resolved.read_text(encoding='utf-8'))
        except SyntaxError as error:
            raise ConfigError(
                f'{shown}, line {error.lineno}: not Python: {error.msg}: '
                f'{(error.text or "").strip()}'
            ) from error
        except ValueError as error:  # bytes that aren't text
            raise ConfigError(f'{shown} is not a text file: {error}') from error
    bases = _find_bases(resolved, shown)
    return ConfigFile(shown, tree, tuple(_read(b, (*chain, resolved)) for b in bases))


def _check_file(path: Path, chain: tuple[Path, ...]) -> None:
    whose = f' It is a _base_ of {shorten(chain[-1])}.' if chain else ''
    if not path.exists():
        near = suggest(path.name, _names(path.parent))
        missing = f"Config file '{shorten(path)}' does not exist.{near}"
        if not path.parent.is_dir():
            missing = (
                f"Config file '{shorten(path)}' does not exist: there is no folder "
                f"'{shorten(path.parent)}'."
            )
        raise ConfigError(missing + whose)
    if path.is_dir():
        inside = ', '.join(n for n in _names(path) if n.endswith('.py')) or 'none'
        raise ConfigError(
            f"'{shorten(path)}' is a folder, not a config file. Configs in it: "
            f'{inside}.{whose}'
        )
    if path.suffix not in _SUFFIXES:
        raise ConfigError(
            f"'{shorten(path)}' is not a config file: expected a name that ends in "
            f'{", ".join(_SUFFIXES)}.{whose}'
        )


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


@contextmanager
def bases_by_name() -> Iterator[None]:
    """Let MMEngine find ``_base_ = 'hplreid::hpl/...'``.

    It does so for the packages in its list alone, of which its registries expect more:
    ours is in there while configs are read, no longer.
    """
    MODULE2PACKAGE[SCOPE] = SCOPE
    try:
        yield
    finally:
        del MODULE2PACKAGE[SCOPE]


def _find_bases(path: Path, shown: Path) -> list[Path]:
    """Return the files of a config's ``_base_``, as MMEngine finds them."""
    try:
        if Config._is_lazy_import(str(path)):
            return []  # bases are imported: Python finds them
        return [
            Path(Config._get_cfg_path(base, str(path))[0])
            for base in Config._get_base_files(str(path))
        ]
    except Exception as error:  # whatever evaluating `_base_` or a parser raises
        raise ConfigError(
            f'{shown}: _base_ cannot be read: {explain(error)}'
        ) from error


def shorten(path: Path) -> Path:
    """Return a path from the current folder, where it lies in it."""
    absolute = Path(os.path.abspath(path))
    here = Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute
