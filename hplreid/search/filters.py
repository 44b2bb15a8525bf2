"""Filters: which items of a gallery are searched."""

import math
from dataclasses import dataclass
from datetime import datetime, timezone

from .errors import QueryError


@dataclass(frozen=True)
class Filters:
    """Which items are searched: those that all given conditions hold for.

    Attributes:
        cameras: Names of cameras; empty for all.
        sources: Names of sources; empty for all.
        start: Not before this time, seconds as :attr:`.Item.time`.
        end: Not after this time.

    Raises:
        QueryError: A name isn't text, or times are no numbers or the wrong way round.

    Example:
        >>> Filters(cameras=['north'], start=parse_time('2026-05-01 08:00'))
        Filters(cameras=('north',), sources=(), start=1777622400.0, end=None)
        >>> bool(Filters())
        False
    """

    cameras: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        for name in ('cameras', 'sources'):
            values = getattr(self, name)
            values = (values,) if isinstance(values, str) else tuple(values)
            if strange := [v for v in values if not isinstance(v, str)]:
                raise QueryError(f'{name} has {strange[0]!r}: expected text.')
            object.__setattr__(self, name, values)
        for name in ('start', 'end'):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise QueryError(f'{name}={value!r}: expected seconds.')
        if None not in (self.start, self.end) and self.start > self.end:  # type: ignore[operator]
            raise QueryError(
                f'start={self.start} is after end={self.end}: nothing is between them.'
            )

    def __bool__(self) -> bool:
        given = (*self.cameras, *self.sources)
        return bool(given) or self.start is not None or self.end is not None


def parse_time(text: str | float) -> float:
    """Return seconds since 1970 from a date, or seconds as they are.

    Args:
        text: ISO 8601, ``'2026-05-01 08:00'``, UTC unless it says otherwise; or a
            number of seconds.

    Raises:
        QueryError: It is neither.

    Example:
        >>> parse_time('1970-01-01T01:00+01:00'), parse_time('12.5')
        (0.0, 12.5)
    """
    try:
        value = float(text)
    except (TypeError, ValueError):
        try:
            date = datetime.fromisoformat(str(text).strip().replace('Z', '+00:00'))
        except ValueError:
            raise QueryError(
                f'time={text!r}: expected a date such as 2026-05-01 08:00 (UTC), or '
                'seconds.'
            ) from None
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        value = date.timestamp()
    if not math.isfinite(value):
        raise QueryError(f'time={text!r}: expected a date, or seconds.')
    return value


def show_time(seconds: float) -> str:
    """Return a time as people read it: a date, or seconds of a video.

    Example:
        >>> show_time(1777622400.0), show_time(75.5)
        ('2026-05-01 08:00:00', '0:01:15.500')
    """
    if abs(seconds) < 10 * 365 * 86400:  # since the start of a video
        minutes, rest = divmod(seconds, 60)
        return f'{int(minutes) // 60}:{int(minutes) % 60:02d}:{rest:06.3f}'
    try:
        date = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return f'{seconds:.0f} s'
    return f'{date:%F %T}'


def show_camera(name: str) -> str:
    """Return a camera as people read it: a number is said to be one.

    Example:
        >>> show_camera('3'), show_camera('north gate')
        ('camera 3', 'north gate')
    """
    return f'camera {name}' if name.isdecimal() else name
