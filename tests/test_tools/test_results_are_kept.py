"""Trainings and tests as programs: no result replaces another one unless asked to."""

import json

import pytest

from hplreid.evaluation.files import read_ledger, read_scores

from .test_train_and_test_toy import call, config  # noqa: F401


def files(folder):
    """Names and contents of all files of results of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and path.suffix in ('.json', '.npz', '.pth', '.safetensors')
    }


@pytest.fixture
def trained(call, config, tmp_path):  # noqa: F811
    """A function that trains in a folder, and the folder."""
    folder = tmp_path / 'run'

    def train(*arguments):
        return call('train.py', config, '--work-dir', folder, *arguments)

    code, printed = train()
    assert code is None, printed
    return train, folder


def test_tests_have_folders_of_their_own(call, config, trained):  # noqa: F811
    _, folder = trained
    before = files(folder)
    arguments = ('test.py', config, folder / 'epoch_5.pth', '--work-dir', folder)
    assert call(*arguments)[0] is None
    assert call(*arguments, '--tag', 'flipped', '--no-pin-memory')[0] is None
    after = files(folder)
    assert {name: after[name] for name in before} == before
    tests = sorted((folder / 'test').iterdir())
    assert [len(tests), tests[-1].name] == [2, 'flipped']
    for test in tests:
        assert (test / 'metrics.json').is_file()
        assert (test / 'toy.py').is_file()  # the config
        assert len(list(test.glob('*/*.log'))) == 1
    entries, _ = read_ledger(folder / 'results.jsonl')
    assert [e['folder'] for e in entries] == ['.', *(f'test/{t.name}' for t in tests)]
    assert len({e['scores']['toy/mean'] for e in entries}) == 1
    hashes = {e['provenance']['checkpoint']['weights_sha256'] for e in entries}
    assert len(hashes) == 1  # final.safetensors and epoch_5.pth hold the same weights
    paths = [e['provenance']['checkpoint']['path'] for e in entries]
    assert paths[0] == str(folder / 'final.safetensors')
    assert paths[1] == str(folder / 'epoch_5.pth')

    # The same name again
    code, printed = call(*arguments, '--tag', 'flipped')
    assert code == 2
    assert "test/flipped' has an evaluation already" in printed.err
    assert 'Traceback' not in printed.err
    assert files(folder) == after
    assert call(*arguments, '--tag', 'flipped', '--overwrite')[0] is None
    assert read_ledger(folder / 'results.jsonl')[0][:3] == entries

    # Files that options name
    out = folder / 'out.json'
    assert call(*arguments, '--out', out)[0] is None
    assert read_scores(out)[1]['checkpoint']['sha256']
    code, printed = call(*arguments, '--out', out)
    assert code == 2
    assert "--out: '" in printed.err
    for option in ('--show-dir', '--dump-features'):
        code, printed = call(*arguments, option, folder)
        assert code == 2
        assert f"{option}: the folder '{folder}' has files" in printed.err


def test_a_training_replaces_no_other(trained):
    train, folder = trained
    before = files(folder)
    code, printed = train()
    assert code == 2
    assert f"'{folder}' has a training already (metrics.json, final.s" in printed.err
    assert files(folder) == before

    code, printed = train('--resume')  # nothing is left to train; it is tested again
    assert code is None
    (earlier,) = (folder / 'earlier').iterdir()
    assert (earlier / 'metrics.json').read_bytes() == before['metrics.json']
    assert (
        read_scores(folder / 'metrics.json')[0]
        == read_scores(earlier / 'metrics.json')[0]
    )

    options = ('train_cfg.stages.construct.epochs=1', 'train_cfg.stages.align.epochs=1')
    code, printed = train('--overwrite', '--cfg-options', *options)
    assert code is None
    assert 'Removed ' in printed.out
    left = [p.name for p in folder.glob('*.pth')]
    assert sorted(left) == ['epoch_1.pth', 'epoch_2.pth']
    assert len(read_ledger(folder / 'results.jsonl')[0]) == 3


def test_a_killed_training_is_resumed_or_overwritten(trained):
    train, folder = trained
    for name in ('metrics.json', 'final.safetensors'):
        (folder / name).unlink()
    code, printed = train()
    assert code == 2
    assert 'has a training already (last_checkpoint)' in printed.err


def test_seeds_are_trained_once(call, config, tmp_path):  # noqa: F811
    arguments = ('train.py', config, '--work-dir', tmp_path / 'run', '--seeds', 1)
    short = [f'train_cfg.stages.{s}.epochs=1' for s in ('construct', 'align')]
    options = ('--cfg-options', *short)
    assert call(*arguments, *options)[0] is None
    content = json.loads((tmp_path / 'run' / 'seeds.json').read_text())
    assert content['provenance']['1']['seed'] == 1
    code, printed = call(*arguments, *options)
    assert code == 2
    assert 'has a training already (seeds.json)' in printed.err
    (tmp_path / 'run' / 'seeds.json').unlink()
    code, printed = call(*arguments, 2, *options)
    assert code == 2
    assert "run/seed_1' has a training already" in printed.err
    assert not (tmp_path / 'run' / 'seed_2').exists()
