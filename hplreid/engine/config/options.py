"""Options of the command line: read, merged into a config, and obeyed or refused."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from mmengine.config import Config, DictAction

from .errors import ConfigError, raise_problems, suggest
from .named_pipelines import resolve_pipelines
from .schema.resolved_run import SHARED, flatten, resolve_run
from .schema.roles import top_keys
from .sources.family import ConfigFile
from .sources.names import find_readers

Options = Mapping[str, Any] | Sequence[str] | None
"""Values by dotted key, or the words ``KEY=VALUE`` of a command line."""


def parse_options(options: Options) -> dict[str, Any]:
    """Return the values of ``--cfg-options`` by dotted key.

    Values are read as by MMEngine: numbers, ``True``, ``None``, lists ``1,2`` and
    ``[1,2]``, tuples ``(1,2)``, else text. A dict is written as in Python,
    ``dict(type='Adam', lr=0.1)`` or ``{'type': 'Adam'}``.

    Raises:
        ConfigError: A word isn't ``KEY=VALUE``, or its value can't be read.

    Example:
        >>> parse_options(['a.b=1', 'size=(256,128)', "head=dict(type='IDHead')"])
        {'a.b': 1, 'size': (256, 128), 'head': {'type': 'IDHead'}}
    """
    if options is None or isinstance(options, Mapping):
        return dict(options or {})
    parsed = {}
    for word in options:
        key, sign, value = word.partition('=')
        if not sign or not all(key.split('.')):
            raise ConfigError(
                f"--cfg-options '{word}': expected KEY=VALUE, such as "
                'train_dataloader.batch_size=64.'
            )
        parsed[key] = _parse_value(word, value)
    return parsed


def _parse_value(word: str, value: str) -> Any:  # noqa: ANN401
    text = value.strip()
    if text.startswith('{') or text.startswith('dict('):
        try:
            return _evaluate(ast.parse(text, mode='eval').body)
        except (SyntaxError, ValueError) as error:
            raise ConfigError(
                f"--cfg-options '{word}': the value is not a dict of plain values: "
                f"expected dict(key='text', other=1)."
            ) from error
    try:
        return DictAction._parse_iterable(value)
    except (AssertionError, RecursionError) as error:
        raise ConfigError(
            f"--cfg-options '{word}': the value cannot be read. Expected a number, "
            'text, a list [1,2], a tuple (1,2) or dict(key=value), with quotes around '
            'the whole option in most shells.'
        ) from error


def _evaluate(node: ast.expr) -> Any:  # noqa: ANN401
    """Return the value of a literal in which ``dict(a=1)`` is one, too."""
    if isinstance(node, ast.Call):
        plain = isinstance(node.func, ast.Name) and node.func.id == 'dict'
        if not plain or node.args or any(k.arg is None for k in node.keywords):
            raise ValueError('not a dict of plain values')
        return {str(k.arg): _evaluate(k.value) for k in node.keywords}
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(k) for k in node.keys if k is not None]
        return dict(zip(keys, map(_evaluate, node.values), strict=True))
    if isinstance(node, ast.List):
        return [_evaluate(element) for element in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_evaluate(element) for element in node.elts)
    return ast.literal_eval(node)


def apply_options(
    config: Config, options: Mapping[str, Any], file: ConfigFile
) -> Config:
    """Return a config with the values of options; each changes what is run.

    Args:
        config: A config with its pipelines resolved. It stays as it is.
        options: Values by dotted key.
        file: The config's file, to tell which keys an option would have to set.

    Raises:
        ConfigError: An option has no place in the config, or would change nothing of
            what is run; the message lists the keys that would.
    """
    changed = _merge(config, options)
    run = resolve_run(changed.to_dict())
    problems = []
    for key in options:
        others = {k: v for k, v in options.items() if k != key}
        without = _merge(config, others)
        if resolve_run(without.to_dict()) != run:
            continue
        before, value = without.to_dict(), options[key]
        if before != changed.to_dict():
            hint = ' '.join(map(str.strip, _find_hints(key, before, file)))
        elif value == {} and _find_place(before, key)[1] != {}:
            hint = (
                'An empty dict is merged into what is there; '
                f'{key}._delete_=True is what empties it.'
            )
        else:
            continue  # the value was there before
        problems.append(
            f'--cfg-options {key}={value!r} would change nothing of what is run. '
            f'{hint.strip()}'
        )
    raise_problems(config, problems)
    return changed


def _merge(config: Config, options: Mapping[str, Any]) -> Config:
    """Return a copy of a config with the values of options."""
    merged = deepcopy(config)
    for key, value in options.items():
        try:
            merged.merge_from_dict({key: deepcopy(value)})
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ConfigError(
                f'--cfg-options {key}={value!r}: {_explain_no_place(merged, key)}'
            ) from error
    try:
        resolve_pipelines(merged)  # pipelines that options name
    except ValueError as error:
        raise ConfigError(f'--cfg-options: {error}') from error
    return merged


def _explain_no_place(config: Config, key: str) -> str:
    """Return why an option can't be merged, by the part of its key that is there."""
    there, value = _find_place(config.to_dict(), key)
    place = '.'.join(there)
    if isinstance(value, list):
        return f'{place} is a list of {len(value)}: expected an index below that.'
    text = repr(value)
    if len(text) > 80:
        text = f'{text[:76]} ...'
    return (
        f'{place}={text} is not a dict, so that no setting can be changed in it. '
        'dict(_delete_=True, ...) takes its place.'
    )


def _find_place(config: dict[str, Any], key: str) -> tuple[list[str], Any]:
    """Return the longest part of a key that is in a config, and the value there."""
    value: Any = config
    there: list[str] = []
    for part in key.split('.'):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            break
        there.append(part)
    return there, value


def _find_hints(key: str, config: dict[str, Any], file: ConfigFile) -> Iterator[str]:
    """Yield what to do instead of an option that changes nothing."""
    top, *rest = key.split('.')
    known = top_keys(config)
    if top in SHARED:
        stages = config['train_cfg']['stages']
        own = [
            f'train_cfg.stages.{name}.{key}'
            for name, stage in stages.items()
            if rest and rest[0] in (stage.get(top) or {})
        ]
        yield f'The stages have their own: set {_list(own)}.'
    elif top not in known:
        readers = list(find_readers(config, file, top))
        same = [k for k in readers if k.split('.')[-len(rest) :] == rest and rest]
        if top in config:
            yield (
                f"'{top}' is a name that the files have used by now. "
                f'Set {_list(same or readers)}.'
            )
        else:
            deeper = [
                '.'.join(path)
                for path, _ in flatten(resolve_run(config))
                if path[-1] == top
            ]
            yield f"'{top}' is not a setting at the top of a config."
            if deeper:
                yield f'Set {_list(deeper)}.'
            else:
                names = {k for path, _ in flatten(config) for k in path}
                yield suggest(top, known) or suggest(top, names)


def _list(keys: Sequence[str], most: int = 6) -> str:
    shown = ', '.join(keys[:most])
    more = len(keys) - most
    if more > 0:
        return f'{shown} (and {more} more)'
    return shown or 'the settings that it was used for'
