"""Files are complete or absent, whatever happens while they are written."""

import json
import os

import pytest

from hplreid.utils.atomic_files import atomic_path, write_json


def test_json_is_written_with_its_folder(tmp_path):
    path = tmp_path / 'deep' / 'metrics.json'
    for scores in ({'a/mAP': 1.0}, {'a/mAP': 1.5}):
        write_json(path, scores)
        assert json.loads(path.read_text()) == scores
    assert os.listdir(path.parent) == ['metrics.json']


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text('half of the new')
            raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        write_half()
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.txt']


def test_values_that_json_can_not_hold_leave_no_file(tmp_path):
    with pytest.raises(TypeError, match='not JSON serializable'):
        write_json(tmp_path / 'a.json', {'mAP': object()})
    assert os.listdir(tmp_path) == []
