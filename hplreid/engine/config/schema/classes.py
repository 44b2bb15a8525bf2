"""Which class a ``type`` of a config names."""

import difflib
from typing import Any

import mmengine.registry as root
import mmengine.runner  # noqa: F401  # fills MMEngine's registries, too
from mmengine.config.utils import MODULE2PACKAGE

from hplreid.registry import ALL, SCOPE

from ..errors import suggest

_SCOPES = (SCOPE, *MODULE2PACKAGE)
_ROOTS = [r for r in vars(root).values() if isinstance(r, root.Registry)]


def find_class(name: Any) -> Any:  # noqa: ANN401
    """Return the class registered as ``name`` in any registry, or None.

    Example:
        >>> find_class('IDHead').__name__, find_class('Adam').__name__
        ('IDHead', 'Adam')
        >>> find_class('IDHaed') is None
        True
    """
    if not isinstance(name, str):
        return name  # the class itself
    scope, short = root.Registry.split_scope_key(name)
    if scope in (None, SCOPE):
        for registry in ALL:
            registry.import_from_location()
            if short in registry.module_dict:
                return registry.module_dict[short]
    for registry in _ROOTS:
        if name in registry.module_dict:
            return registry.module_dict[name]
    return None if scope in (None, SCOPE) else _find_foreign(name)


def _find_foreign(name: str) -> Any:  # noqa: ANN401
    """Return the class registered as ``name`` by another code base, or None."""
    for registry in _ROOTS:
        try:
            found = registry.get(name)
        except (RuntimeError, KeyError):  # it isn't registered there
            continue
        if found is not None:
            return found
    return None


def explain_unknown(name: Any) -> str:  # noqa: ANN401
    """Return a message that a name is unknown, with the closest known name.

    Example:
        >>> explain_unknown('Adm')
        "'Adm' is not registered. Did you mean 'Adam'?"
    """
    scope = root.Registry.split_scope_key(str(name))[0]
    if scope not in (None, SCOPE):
        foreign = root.MODELS._search_child(scope)
        if foreign is None:
            return f"'{name}': there is no code base {scope}.{suggest(scope, _SCOPES)}"
        names = [f'{scope}.{key}' for key in foreign.module_dict]
        return f"'{name}' is not registered in {scope}.{suggest(name, names)}"
    for registries in (ALL, _ROOTS):
        known = {n: r for r in registries for n in r.module_dict}
        close = difflib.get_close_matches(str(name), known, n=1)
        if close:
            registry = known[close[0]]
            if registry in ALL:
                try:
                    registry.get(name)
                except KeyError as error:
                    return str(error.args[0])
            return f"'{name}' is not registered. Did you mean '{close[0]}'?"
    return f"'{name}' is not registered, here or in MMEngine, nor is a similar name."
