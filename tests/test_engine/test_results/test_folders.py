"""Results find room without replacing others."""

import pytest
from mmengine.config import Config

from hplreid.engine.results import (
    ResultExistsError,
    check_evaluation_folder,
    check_new_file,
    check_new_folder,
    check_training_folder,
    make_evaluation_folder,
    make_room_for_training,
)
from hplreid.engine.results.folders import ResultNameError
from hplreid.engine.run import check_training_folders

OLD = {
    'metrics.json': '{"a": 1}',
    'per_query/a.npz': 'a',
    'ranked_lists/a.png': 'a',
    'final.safetensors': 'w',
    'test/last/metrics.json': '{}',
    'test/own/metrics.json': '{}',
    'last_checkpoint': 'epoch_2.pth',
    'epoch_2.pth': 'w',
    'best_a_mAP_epoch_1.pth': 'w',
    'results.jsonl': '{}',
    'toy.py': '',
    'notes.txt': 'mine',
    'pretrained.pth': 'mine',
}


@pytest.fixture
def old(tmp_path):
    """A folder with a finished training, and files of the user's own."""
    for name, content in OLD.items():
        path = tmp_path / 'run' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / 'run'


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob('*')
        if path.is_file()
    }


def test_a_folder_with_a_training_is_refused(old):
    with pytest.raises(ResultExistsError, match=r'metrics.json, final.*--resume.*--ov'):
        check_training_folder(old)
    check_training_folder(old, resume=True)
    check_training_folder(old, overwrite=True)
    for name in ('metrics.json', 'final.safetensors'):
        (old / name).unlink()
    with pytest.raises(ResultExistsError, match=r'already \(last_checkpoint\)'):
        check_training_folder(old)  # it was killed
    (old / 'last_checkpoint').unlink()
    check_training_folder(old)  # what else is there is no training's
    check_training_folder(old / 'none')


def test_a_resumed_training_keeps_the_scores_of_before(old):
    said = make_room_for_training(old, resume=True)
    (aside,) = (old / 'earlier').iterdir()
    assert said == f'Scores and final weights of before are in {aside}.'
    kept = files(aside)
    assert kept.pop('last/metrics.json') == '{}'
    assert kept == {k: OLD[k] for k in list(OLD)[:4]}
    left = {k: v for k, v in files(old).items() if not k.startswith('earlier/')}
    assert left == {k: OLD[k] for k in list(OLD)[5:]}
    assert make_room_for_training(old, resume=True) == ''


def test_overwriting_removes_a_training_and_nothing_else(old):
    said = make_room_for_training(old, overwrite=True)
    assert said == f'Removed 8 results and checkpoints of {old}.'
    names = ['test/own/metrics.json', *list(OLD)[9:]]
    assert files(old) == {name: OLD[name] for name in names}
    assert make_room_for_training(old, overwrite=True) == ''


def test_overwriting_a_resumed_training_keeps_its_checkpoints(old):
    make_room_for_training(old, resume=True, overwrite=True)
    assert (old / 'epoch_2.pth').exists()
    assert not (old / 'metrics.json').exists()
    assert not (old / 'earlier').exists()


def test_the_checkpoint_that_a_training_begins_from_is_not_removed(old):
    start = str(old / 'epoch_2.pth')
    with pytest.raises(ResultExistsError, match=r"load_from: .*remove '.*epoch_2.pth'"):
        check_training_folder(old, overwrite=True, load_from=start)
    check_training_folder(old, overwrite=True, load_from=str(old / 'pretrained.pth'))


def test_evaluations_in_one_second_have_folders_of_their_own(tmp_path):
    folders = {make_evaluation_folder(tmp_path) for _ in range(3)}
    assert len(folders) == 3
    assert all(folder.parent == tmp_path / 'test' for folder in folders)


def test_a_named_evaluation_is_replaced_only_if_asked_to(tmp_path):
    folder = make_evaluation_folder(tmp_path, 'plain')
    (folder / 'metrics.json').write_text('{}')
    (folder / 'per_query').mkdir()
    (folder / 'log.txt').write_text('of before')
    for function in (check_evaluation_folder, make_evaluation_folder):
        with pytest.raises(ResultExistsError, match=r'an evaluation already.*--tag'):
            function(tmp_path, 'plain')
    assert make_evaluation_folder(tmp_path, 'plain', overwrite=True) == folder
    assert [path.name for path in folder.iterdir()] == ['log.txt']


@pytest.mark.parametrize('tag', ['', '..', '.', 'a/b', '../x', '/tmp', '-x y', '.git'])
def test_names_that_leave_the_folder_are_refused(tmp_path, tag):
    with pytest.raises(ResultNameError, match='expected the name of a folder'):
        make_evaluation_folder(tmp_path, tag, overwrite=True)


def test_a_folder_for_features_that_a_config_names_is_new(tmp_path):
    (tmp_path / 'feats').mkdir()
    (tmp_path / 'feats' / 'a.npz').write_text('')
    test_cfg = dict(type='BenchmarkLoop', dump_features=str(tmp_path / 'feats'))
    config = Config(dict(work_dir=str(tmp_path / 'run'), test_cfg=test_cfg))
    with pytest.raises(ResultExistsError, match=r'test_cfg.dump_features: .*has files'):
        check_training_folders(config)
    check_training_folders(config, overwrite=True)
    config.test_cfg.dump_features = True
    check_training_folders(config)


def test_files_and_folders_of_options_are_new(tmp_path):
    file, folder = tmp_path / 'a.json', tmp_path / 'b'
    for check in (check_new_file, check_new_folder):
        check(None, '--out', False)
        check(tmp_path / 'none', '--out', False)
    file.write_text('')
    with pytest.raises(ResultExistsError, match=r"--out: '.*a.json' exists"):
        check_new_file(file, '--out', overwrite=False)
    check_new_file(file, '--out', overwrite=True)
    folder.mkdir()
    check_new_folder(folder, '--show-dir', overwrite=False)
    (folder / 'x').write_text('')
    with pytest.raises(ResultExistsError, match=r"--show-dir: .*b' has files"):
        check_new_folder(folder, '--show-dir', overwrite=False)
    check_new_folder(folder, '--show-dir', overwrite=True)
    with pytest.raises(ResultExistsError, match='is a file, expected a folder'):
        check_new_folder(file, '--show-dir', overwrite=True)
