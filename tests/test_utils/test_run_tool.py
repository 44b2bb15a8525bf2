"""What a tool prints when it fails, and with which code it exits."""

from argparse import Namespace

import pytest

from hplreid.engine.config import ConfigError
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError


def fail(error):
    def main(args):
        raise error

    return main


def outcome(capsys, main, **args):
    with pytest.raises(SystemExit) as ended:
        run_tool(main, Namespace(**args))
    return ended.value.code, capsys.readouterr().err


def test_a_mistake_of_the_user_is_a_message_alone(capsys):
    code, printed = outcome(capsys, fail(ConfigError('lr=-1: expected more than 0')))
    assert code == 2
    assert printed == 'Error: lr=-1: expected more than 0\n'


def test_debug_shows_where_it_was_raised(capsys):
    code, printed = outcome(capsys, fail(UserError('no such file')), debug=True)
    assert code == 2
    assert 'Traceback' in printed
    assert 'UserError: no such file' in printed


def test_a_bug_shows_its_traceback_and_asks_for_a_report(capsys):
    code, printed = outcome(capsys, fail(IndexError('list index out of range')))
    assert code == 1
    assert 'Traceback' in printed
    assert 'Please report' in printed


def test_an_interruption_by_the_keyboard_prints_nothing(capsys):
    assert outcome(capsys, fail(KeyboardInterrupt())) == (130, '')


@pytest.mark.parametrize(('result', 'code'), [(None, None), (0, 0), (1, 1)])
def test_the_exit_code_is_what_the_tool_returns(capsys, result, code):
    assert outcome(capsys, lambda args: result) == (code, '')
