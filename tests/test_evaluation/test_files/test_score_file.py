"""Files of scores, with where they come from."""

import json

import pytest

from hplreid.evaluation.files import ScoreFileError, read_scores, write_scores


def test_scores_stay_where_older_versions_had_them(tmp_path):
    path = tmp_path / 'new' / 'metrics.json'
    write_scores(path, {'a/mAP': 12.5}, {'seed': 3})
    assert json.loads(path.read_text()) == {'a/mAP': 12.5, 'provenance': {'seed': 3}}
    assert read_scores(path) == ({'a/mAP': 12.5}, {'seed': 3})
    path.write_text('{"a/mAP": 12.5}')  # as an older version wrote it
    assert read_scores(path) == ({'a/mAP': 12.5}, {})


@pytest.mark.parametrize('content', ['', '{"a', '[1]', 'null', '\x00'])
def test_other_files_are_errors(tmp_path, content):
    path = tmp_path / 'metrics.json'
    path.write_text(content)
    with pytest.raises(ScoreFileError, match='is no file of scores'):
        read_scores(path)
