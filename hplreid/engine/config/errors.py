"""The error of a config that can't run, and how its problems are listed."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from mmengine.config import Config

from hplreid.utils.user_error import UserError


class ConfigError(UserError, RuntimeError):
    """A config that can't run. The message lists every problem and what to do."""


def raise_problems(config: Config, problems: Sequence[str]) -> None:
    """Raise ConfigError with all problems of a config, if there are any."""
    if not problems:
        return
    count = '1 problem' if len(problems) == 1 else f'{len(problems)} problems'
    listed = [
        f'  {i}. ' + problem.replace('\n', '\n     ')
        for i, problem in enumerate(problems, 1)
    ]
    raise ConfigError(
        '\n'.join([f'{config.filename or "The config"} cannot run, {count}:', *listed])
    )


def suggest(name: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """Return a sentence with the closest of the known names, ``''`` if none is close.

    Example:
        >>> suggest('num_wokers', ['num_workers', 'batch_size'])
        " Did you mean 'num_workers'?"
        >>> suggest('tau', ['num_workers'])
        ''
    """
    close = difflib.get_close_matches(str(name), map(str, known), n=1, cutoff=cutoff)
    return f" Did you mean '{close[0]}'?" if close else ''


BUILD_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a constructor may raise because of the values that a config gives it."""


def explain(error: BaseException) -> str:
    """Return what an error says, with its kind where that is needed to understand it.

    Example:
        >>> explain(ValueError('lr=-1: expected a number from 0 up.'))
        'lr=-1: expected a number from 0 up.'
        >>> explain(KeyError('size'))
        "KeyError: 'size'"
    """
    text = str(error)
    plain = isinstance(error, UserError | ValueError | OSError | TypeError)
    if isinstance(error, KeyError) and ' ' in str(error.args[:1]):
        return str(error.args[0])
    return text if plain and text else f'{type(error).__name__}: {text}'


@contextmanager
def building(place: str) -> Iterator[None]:
    """Raise ConfigError for what is raised by building something from a config.

    Args:
        place: The place in the config.

    Raises:
        ConfigError: Something couldn't be built; the message names place and class.

    Example:
        >>> with building('model'):
        ...     raise ValueError('depth=-1: expected an integer from 1 up.')
        Traceback (most recent call last):
        ...
        hplreid.engine.config.errors.ConfigError: model cannot be built: depth=-1: ...
    """
    try:
        yield
    except UserError:
        raise
    except BUILD_ERRORS as error:
        classes = _classes_built(error.__traceback__)
        inside = f' ({" > ".join(classes)})' if classes else ''
        raise ConfigError(
            f'{place} cannot be built{inside}: {explain(error)}\n'
            'If its settings look right, --debug shows where that was raised.'
        ) from error


def _classes_built(traceback: TracebackType | None) -> list[str]:
    """Return the classes that were being built, from outside to inside."""
    names: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == 'build_from_cfg':
            built = frame.f_locals.get('obj_cls')
            name = getattr(built, '__name__', None)
            if name is not None and name not in names:
                names.append(name)
        traceback = traceback.tb_next
    return names
