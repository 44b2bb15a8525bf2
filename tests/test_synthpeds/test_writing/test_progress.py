"""A terminal shows a bar, a log a few lines."""

import io
import sys

import pytest

from hplreid.synthpeds.writing.progress import Progress, announcement


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self):
        return self.now


def _render(seconds, count=6190, **options):
    clock = Clock()
    with Progress('set', 0, count, clock=clock, **options) as progress:
        for _ in range(count // 10):
            clock.now += seconds / (count // 10)
            progress.advance(10)


def test_three_minutes_take_at_most_three_lines(capsys):
    print(announcement('set', 0, 6190, (128, 64), 'data', 2))
    _render(180)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].endswith('of 6,190 images, 34 img/s, 90 s left')
    assert lines[2] == 'set: 6,190 images in 3 min, 34 img/s'


def test_quiet_shows_nothing(capsys):
    _render(180, quiet=True)
    assert capsys.readouterr() == ('', '')


def test_a_failed_rendering_claims_no_end(capsys):
    with pytest.raises(OSError, match='full'), Progress('set', 0, 10):
        raise OSError('full')
    assert capsys.readouterr().out == ''


def test_a_terminal_shows_rate_and_time_left(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, 'stdout', terminal)
    with Progress('set', 40, 100) as progress:
        progress.advance(30)
    shown = terminal.getvalue()
    assert '70/100' in shown
    assert 'img/s' in shown
    assert shown.count('\n') == 1


def test_announcement_names_what_is_there():
    line = announcement('set', 3000, 6190, (128, 64), 'data', 2)
    assert line.startswith('set: rendering 3,190 images of 128 x 64 into data, about ')
    assert line.endswith('with 2 processes (3,000 of 6,190 are there)')
