"""``--resume`` takes the last checkpoint that is whole, and says which one if not."""

import os

import pytest
import torch

from hplreid.engine.interruption import resume_point
from hplreid.engine.interruption.resume_point import find_resume_point
from hplreid.utils.checkpoints.checkpoint import CheckpointError


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(resume_point, 'log', lambda text, level: lines.append(text))
    return lines


def save(folder, *names):
    """Write checkpoints, the newest last, and name it as the last one."""
    for i, name in enumerate(names):
        torch.save(dict(state_dict=dict(w=torch.ones(50)), meta={}), folder / name)
        os.utime(folder / name, (i, i))
    (folder / 'last_checkpoint').write_text(str(folder / names[-1]))


def test_the_named_one_is_taken_though_an_older_run_left_later_epochs(tmp_path, said):
    save(tmp_path, 'epoch_60.pth', 'epoch_1.pth', 'interrupted_iter_9.pth')
    assert find_resume_point(tmp_path) == str(tmp_path / 'interrupted_iter_9.pth')
    assert said == []


@pytest.mark.parametrize('damage', ['cut', 'empty', 'gone'])
def test_a_damaged_or_missing_one_is_passed_over_loudly(tmp_path, said, damage):
    save(tmp_path, 'epoch_3.pth', 'best_epoch_4.pth', 'epoch_4.pth')
    last = tmp_path / 'epoch_4.pth'
    content = {'cut': last.read_bytes()[:-200], 'empty': b''}.get(damage)
    last.unlink() if content is None else last.write_bytes(content)
    assert find_resume_point(tmp_path) == str(tmp_path / 'epoch_3.pth')
    assert 'epoch_3.pth instead of the last checkpoint' in said[0]
    assert f"{last}'" in said[0]


def test_if_none_is_left_that_is_an_error(tmp_path, said):
    save(tmp_path, 'epoch_1.pth', 'epoch_2.pth')
    for path in tmp_path.glob('*.pth'):
        path.write_bytes(b'')
    with pytest.raises(CheckpointError, match='No checkpoint .*(\n.*){3}leave out'):
        find_resume_point(tmp_path)


def test_a_folder_without_checkpoints_has_none(tmp_path, said):
    assert find_resume_point(tmp_path) is None
    assert find_resume_point(tmp_path / 'absent') is None
    assert said == []


def test_a_folder_that_was_copied_has_its_own(tmp_path, said):
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        save(tmp_path / name, 'epoch_2.pth')
    (tmp_path / 'b' / 'last_checkpoint').write_text(str(tmp_path / 'a/epoch_2.pth'))
    assert find_resume_point(tmp_path / 'b') == str(tmp_path / 'b' / 'epoch_2.pth')


def test_a_kill_between_a_checkpoint_and_its_name(tmp_path, said):
    save(tmp_path, 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').unlink()
    assert find_resume_point(tmp_path) == str(tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').touch()
    assert find_resume_point(tmp_path) == str(tmp_path / 'epoch_1.pth')
    assert "last_checkpoint' is empty" in said[0]
