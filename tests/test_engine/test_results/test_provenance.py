"""The commit is that of our checkout, or none."""

import shutil
import subprocess

import pytest

from hplreid.engine.results.provenance import describe_code, find_commit


@pytest.mark.skipif(shutil.which('git') is None, reason='no Git')
def test_a_commit_is_that_of_the_folder_itself(tmp_path):
    def git(*arguments):
        identity = ['-c', 'user.name=a', '-c', 'user.email=a@b']
        command = ['git', '-C', str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True)

    git('init', '-q')
    (tmp_path / 'file').write_text('1')
    git('add', 'file')
    git('commit', '-qm', 'first')
    commit = git('rev-parse', 'HEAD').stdout.strip()
    find_commit.cache_clear()
    assert find_commit(tmp_path) == commit
    # An environment in a project isn't that project
    (tmp_path / 'env').mkdir()
    assert find_commit(tmp_path / 'env') is None
    (tmp_path / 'file').write_text('2')
    find_commit.cache_clear()
    assert find_commit(tmp_path) == f'{commit}+changes'
    find_commit.cache_clear()


def test_a_folder_that_only_looks_like_a_checkout_has_none(tmp_path):
    (tmp_path / '.git').mkdir()
    assert find_commit(tmp_path) is None


def test_versions_are_those_in_use():
    import torch

    found = describe_code()
    assert found['versions']['torch'] == torch.__version__
    assert found['time'][10] == 'T'
