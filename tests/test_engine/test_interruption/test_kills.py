"""A run that was killed or asked to stop ends as an unbroken one, bit for bit."""

import signal
import sys

import pytest

from .mortal_run import MOMENTS, differences, run, state_of

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='has no fork')
SAMPLE = (
    (signal.SIGKILL, 'epoch_3.pth half written'),
    (signal.SIGTERM, 'first step of stage II'),
    (signal.SIGTERM, 'within an epoch of stage II'),
    (signal.SIGTERM, 'in a validation'),
)
ALL = [(s, m) for s in (signal.SIGKILL, signal.SIGTERM) for m in MOMENTS]


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """What a run leaves that nobody interrupts."""
    folder = tmp_path_factory.mktemp('unbroken')
    assert run(folder) == 0
    return state_of(folder)


def interrupt_and_resume(folder, number, moment, unbroken):
    """Return the checkpoint that a run goes on from, after checking how it ends."""
    code = run(folder, MOMENTS[moment], number)
    assert code == (75 if number == signal.SIGTERM else -number)
    last = folder / 'last_checkpoint'
    taken = last.read_text().rpartition('/')[2] if last.is_file() else 'none'
    assert run(folder) == 0
    assert differences(unbroken, state_of(folder)) == []
    names = sorted(path.name for path in folder.iterdir())
    assert [n for n in names if n.endswith('.tmp') or 'interrupted' in n] == []
    return taken


@pytest.mark.parametrize(('number', 'moment'), SAMPLE)
def test_an_interrupted_run_ends_as_an_unbroken_one(tmp_path, unbroken, number, moment):
    interrupt_and_resume(tmp_path, number, moment, unbroken)


@pytest.mark.exhaustive
def test_ten_kills_and_ten_sigterms(tmp_path, unbroken):
    for i, (number, moment) in enumerate(ALL):
        taken = interrupt_and_resume(tmp_path / str(i), number, moment, unbroken)
        print(f'| {number.name} | {moment} | {taken} | yes |')
    assert len(ALL) == 20
