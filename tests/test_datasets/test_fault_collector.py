"""Faults are raised, or collected inside ``collect_faults``."""

import pytest

from hplreid.datasets.errors import AnnotationError
from hplreid.datasets.fault_collector import collect_faults, raise_or_collect


def test_faults_are_raised_unless_collected():
    def read():
        with raise_or_collect():
            raise AnnotationError('wrong', ['one'])
        return 'read on'

    with collect_faults() as faults:
        assert read() == 'read on'
    assert [f.faults for f in faults] == [('one',)]
    with pytest.raises(AnnotationError, match='wrong'):
        read()
    with collect_faults(), pytest.raises(ValueError, match='else'), raise_or_collect():
        raise ValueError('something else')
