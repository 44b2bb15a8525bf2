"""Find the line of a config file that sets a value."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .family import ConfigFile

_DELETE = '_delete_'


@dataclass(frozen=True)
class Source:
    """Where a value of a config is set.

    Attributes:
        path: The file.
        line: The line, from 1.
        variables: The names, at the top of files, that it was made from.
    """

    path: Path
    line: int
    variables: frozenset[str]

    def __str__(self) -> str:
        return f'{self.path}:{self.line}'


@dataclass(frozen=True)
class _Deleted:
    """The file says that bases don't count below here."""


def locate(file: ConfigFile, key: Sequence[str]) -> Source | None:
    """Return where a config file, or a base of it, sets a value.

    Names that are used to build others are followed to the line that has the value. A
    value that is computed (a list that is joined, a pipeline that transforms are
    inserted into, a function) is at the expression.

    Args:
        file: The file.
        key: The key of the value: ``('model', 'heads', 'align', '0', 'scale')``.

    Returns:
        The place, None if no file sets it or it isn't Python.

    Example:
        >>> from pathlib import Path
        >>> from hplreid.engine.config.sources import read_family
        >>> _ = Path('a.py').write_text('width = 8; model = dict(width=width)')
        >>> print(locate(read_family('a.py'), ['model', 'width']))
        a.py:1
    """
    search = _Search(file)
    found = search.in_file(file, tuple(map(str, key)), frozenset())
    return found if isinstance(found, Source) else None


class _Search:
    """One search, which remembers where it was: names may be defined by themselves."""

    def __init__(self, top: ConfigFile) -> None:
        self.top = top
        self.has_insertions = _inserts_transforms(top)
        self.seen: set[tuple[Path, tuple[str, ...]]] = set()

    def in_file(
        self, file: ConfigFile, key: tuple[str, ...], names: frozenset[str]
    ) -> Source | _Deleted | None:
        """Search a file, then its bases."""
        if (file.path, key) in self.seen:
            return self.in_bases(file, key, names)
        self.seen.add((file.path, key))
        value = file.find_value(key[0])
        if value is not None:
            found = self.in_value(file, value, key[1:], names)
            if found is not None:
                return found
        return self.in_bases(file, key, names)

    def in_bases(
        self, file: ConfigFile, key: tuple[str, ...], names: frozenset[str]
    ) -> Source | _Deleted | None:
        for base in file.bases:
            found = self.in_file(base, key, names)
            if found is not None:
                return found
        return None

    def in_value(
        self,
        file: ConfigFile,
        node: ast.expr,
        key: tuple[str, ...],
        names: frozenset[str],
    ) -> Source | _Deleted | None:
        """Search an expression; None if it is a dict that doesn't set the key."""
        reference = _read_reference(node)
        if reference:
            found = self.follow(file, reference, key, names | {reference[0]})
            # A dict that it names may lack the key, which a base may have
            return found or (None if key else _at(file, node, names))
        if not key:
            return _at(file, node, names)
        if isinstance(node, ast.Dict) or _is_dict_call(node):
            return self.in_dict(file, node, key, names)
        if isinstance(node, ast.List | ast.Tuple) and key[0].isdigit():
            before = node.elts[: int(key[0]) + 1]
            if len(before) > int(key[0]) and not any(
                isinstance(e, ast.Starred) for e in before
            ):
                inside = self.in_value(file, before[-1], key[1:], names)
                return inside or _at(file, before[-1], names)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A pipeline by its name. With insertions, its steps have other places
            rest = () if self.has_insertions else key
            named = self.in_file(self.top, (node.value, *rest), names | {node.value})
            return named or _at(file, node, names)
        return _at(file, node, names)

    def in_dict(
        self,
        file: ConfigFile,
        node: ast.expr,
        key: tuple[str, ...],
        names: frozenset[str],
    ) -> Source | _Deleted | None:
        """Search the entries of a dict, then what is merged into it."""
        entries, merged = _read_dict(node)
        if key[0] in entries:
            return self.in_value(file, entries[key[0]], key[1:], names)
        for other in reversed(merged):
            found = self.in_value(file, other, key, names)
            if found is not None:
                return found
        return _Deleted() if _DELETE in entries else None

    def follow(
        self,
        file: ConfigFile,
        reference: tuple[str, ...],
        key: tuple[str, ...],
        names: frozenset[str],
    ) -> Source | _Deleted | None:
        """Search what a name refers to: in this file, or after ``_base_`` in bases."""
        if reference[0] == '_base_':
            return self.in_bases(file, (*reference[1:], *key), names | {reference[1]})
        value = file.find_value(reference[0])
        if value is None:
            return self.in_bases(file, (*reference, *key), names)
        mark = (file.path, ('', *reference, *key))
        if mark in self.seen:
            return None
        self.seen.add(mark)
        return self.in_value(file, value, (*reference[1:], *key), names)


def _inserts_transforms(file: ConfigFile) -> bool:
    own = file.find_value('insert_transforms') is not None
    return own or any(map(_inserts_transforms, file.bases))


def _at(file: ConfigFile, node: ast.expr, names: frozenset[str]) -> Source:
    return Source(file.path, node.lineno, names | read_names(node))


def read_names(node: ast.AST) -> frozenset[str]:
    """Return the names at the top of files that an expression reads."""
    found = set()
    for part in ast.walk(node):
        reference = _read_reference(part)
        if reference:
            found.add(reference[1] if reference[0] == '_base_' else reference[0])
    return frozenset(found - {'_base_', 'dict'})


def _read_reference(node: ast.AST) -> tuple[str, ...] | None:
    """Return the path that ``name``, ``_base_.name`` or ``name['key']`` spells."""
    if isinstance(node, ast.Name):
        return (node.id,) if node.id != '_base_' else None
    if isinstance(node, ast.Attribute):
        key = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key = str(node.slice.value)
    else:
        return None
    if isinstance(node.value, ast.Name) and node.value.id == '_base_':
        return ('_base_', key)
    before = _read_reference(node.value)
    return None if before is None else (*before, key)


def _is_dict_call(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return called and node.func.id == 'dict'  # type: ignore[attr-defined]


def _read_dict(node: ast.expr) -> tuple[dict[str, ast.expr], list[ast.expr]]:
    """Return the entries of a dict by key, and the dicts that are merged into it."""
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True))
        entries = {str(k.value): v for k, v in pairs if isinstance(k, ast.Constant)}
        return entries, [v for k, v in pairs if k is None]
    assert isinstance(node, ast.Call)
    entries = {k.arg: k.value for k in node.keywords if k.arg is not None}
    return entries, [*node.args, *(k.value for k in node.keywords if k.arg is None)]
