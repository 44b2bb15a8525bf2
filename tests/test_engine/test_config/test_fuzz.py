"""A slip in a config or a command line is refused in words, or changes what is run."""

import pytest

from .config_fuzz import count_outcomes


@pytest.mark.parametrize('first', [0, 30])
def test_a_slip_is_never_ignored_and_never_a_traceback(first, tmp_path):
    _, faults = count_outcomes(range(first, first + 30), tmp_path)
    assert faults == []


@pytest.mark.exhaustive
def test_two_thousand_slips(tmp_path):
    counts, faults = count_outcomes(range(2000), tmp_path)
    for (kind, outcome), number in sorted(counts.items()):
        print(f'{kind}, {outcome}: {number}')
    assert faults == []
