"""A training begins with weights that fit, or with those that it was told to take."""

import re

import pytest
import torch
from mmengine.config import Config

from hplreid.engine.config.check import find_problems
from hplreid.engine.load_from import LoadFrom, find_load_from_problems, parse_load_from
from hplreid.engine.run import score
from hplreid.engine.runner import ReIDRunner
from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint
from hplreid.utils.checkpoints.weights_file import write_weights
from tests.test_engine.engine_toy import toy_config

OTHERS = dict(train_dataloader=dict(dataset=dict(type='ToyNumbers', shift=1)))


def build(folder, load_from=None, **changes):
    config = toy_config(folder, load_from=load_from, log_level='INFO', **changes)
    build.count = getattr(build, 'count', 0) + 1
    config.experiment_name = f'load_from{build.count}'
    return ReIDRunner.from_cfg(config)


def begin(folder, load_from, **changes):
    """Load what a training would begin with; return the model and what was said."""
    runner = build(folder, load_from, **changes)
    said = []
    runner.logger.info = lambda line, *_, **__: said.append(line)
    runner.train_loop  # noqa: B018  (builds it)
    runner.call_hook('before_run')
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.load_or_resume()
    return runner, before, '\n'.join(map(str, said))


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Checkpoint of one epoch of each stage."""
    folder = tmp_path_factory.mktemp('trained')
    runner = build(
        folder,
        train_cfg=dict(stages=dict(construct=dict(epochs=1), align=dict(epochs=1))),
    )
    runner.train()
    return folder / 'epoch_2.pth'


@pytest.fixture
def state(trained):
    return read_checkpoint(trained)['state_dict']


def save(path, state, source, **meta):
    """Write the checkpoint ``source`` with other weights or metadata."""
    checkpoint = read_checkpoint(source)
    checkpoint.update(state_dict=state, meta={**checkpoint['meta'], **meta})
    torch.save(checkpoint, path)
    return str(path)


def test_all_weights_of_the_same_training_set_are_taken(trained, state, tmp_path):
    runner, _, said = begin(tmp_path, str(trained))
    assert f'{trained}: took 7 of 7 tensors of ToyModel' in said
    assert 'left out' not in said
    own = runner.model.state_dict()
    assert all(torch.equal(own[k], v) for k, v in state.items())


@pytest.mark.parametrize('why', ['other people', 'other name', 'unknown'])
def test_rows_of_other_people_are_left_out(trained, state, tmp_path, why):
    # The shape is the same: three people here, three there
    changes, path = {}, str(trained)
    if why == 'other people':
        changes = OTHERS
    else:
        meta = read_checkpoint(trained)['meta']['dataset_meta']
        meta = {**meta, 'dataset_name': 'other'} if why == 'other name' else None
        path = save(tmp_path / 'a.pth', state, trained, dataset_meta=meta)
    runner, before, said = begin(tmp_path, path, **changes)
    own = runner.model.state_dict()
    assert torch.equal(own['prompt.weight'], before['prompt.weight'])
    assert all(torch.equal(own[k], v) for k, v in state.items() if 'prompt' not in k)
    assert 'took 6 of 7 tensors' in said
    assert re.search('left out, since each row is of one identity .*: prompt.wei', said)


def test_a_safetensors_file_knows_its_people(trained, tmp_path):
    checkpoint, path = read_checkpoint(trained), tmp_path / 'final.safetensors'
    meta = checkpoint['meta']
    kept = dict(cfg=meta['cfg'], dataset_meta=meta['dataset_meta'])
    write_weights(path, checkpoint['state_dict'], kept)
    assert 'took 7 of 7' in begin(tmp_path, str(path))[2]
    assert 'took 6 of 7' in begin(tmp_path, str(path), **OTHERS)[2]


def test_what_does_not_fit_is_refused_before_training(trained, state, tmp_path):
    del state['heads.align.0.weight'], state['heads.align.0.bias']
    state['tower.2.bias'] = torch.ones(5)
    path = save(tmp_path / 'a.pth', state, trained)
    runner = build(tmp_path, path)
    with pytest.raises(CheckpointError) as caught:
        runner.train()
    assert runner.iter == 0
    message = str(caught.value)
    assert "doesn't fit ToyModel. It seems to be a checkpoint of the training" in (
        message
    )
    assert '2 missing: heads.align.0.weight, heads.align.0.bias' in message
    assert 'tower.2.bias of shape (5,) instead of (3,)' in message
    assert "set load_from=dict(checkpoint='...', partial=True)" in message


def test_a_partial_load_says_what_it_took(trained, state, tmp_path):
    del state['heads.align.0.weight'], state['heads.align.0.bias']
    state.update({'tower.2.bias': torch.ones(5), 'text.weight': torch.ones(2)})
    path = save(tmp_path / 'a.pth', state, trained)
    runner, before, said = begin(tmp_path, dict(checkpoint=path, partial=True))
    own = runner.model.state_dict()
    kept = ('heads.align.0.weight', 'heads.align.0.bias', 'tower.2.bias')
    for name, value in own.items():
        assert torch.equal(value, before[name] if name in kept else state[name])
    assert 'took 4 of 7 tensors of ToyModel' in said
    assert 'not in the file, so as initialized: heads (2)' in said
    assert 'as initialized: tower.2.bias of shape (5,) instead of (3,)' in said
    assert 'not taken from the file: text (1)' in said


def test_a_file_of_which_nothing_fits_is_no_partial_load(trained, tmp_path):
    path = save(tmp_path / 'a.pth', {'other.weight': torch.ones(1)}, trained)
    with pytest.raises(CheckpointError, match='7 missing'):
        begin(tmp_path, dict(checkpoint=path, partial=True))


def of_another_method(trained, state, folder, **model):
    config = Config(dict(model=dict(type='DualEncoder', num_ids=3, **model)))
    return save(folder / 'other.pth', state, trained, cfg=config.pretty_text)


def test_another_method_is_refused_though_all_names_agree(trained, state, tmp_path):
    path = of_another_method(
        trained, state, tmp_path, heads=dict(align=[dict(type='SDMHead')])
    )
    message = (
        r"(?s)other.pth' is of another model.\n  the file: DualEncoder "
        r'\(heads: SDMHead\)\n  the config: ToyModel.*partial=True'
    )
    with pytest.raises(CheckpointError, match=message):
        begin(tmp_path, path)
    assert 'took 7 of 7' in begin(tmp_path, dict(checkpoint=path, partial=True))[2]
    message = 'Use a config of that method, or another checkpoint'
    with pytest.raises(CheckpointError, match=message):
        score(toy_config(tmp_path), path)
    with pytest.raises(CheckpointError, match='is of another model'):
        build(tmp_path, path, resume=True).train()


def test_names_of_wrappers_are_removed(trained, state, tmp_path):
    wrapped = {
        f'module._orig_mod.{k.replace(".", "._orig_mod.", 1)}': v
        for k, v in state.items()
    }
    path = save(tmp_path / 'a.pth', wrapped, trained)
    assert 'took 7 of 7' in begin(tmp_path, path)[2]
    wrapped['tower.2.bias'] = torch.zeros(3)
    path = save(tmp_path / 'a.pth', wrapped, trained)
    with pytest.raises(CheckpointError, match="there are two weights 'tower.2.bias'"):
        begin(tmp_path, path)


def test_an_average_starts_from_what_was_loaded(trained, state, tmp_path):
    hook = dict(type='EMAHook')
    runner, before, _ = begin(tmp_path, str(trained), custom_hooks=[hook], **OTHERS)
    average = next(h for h in runner.hooks if hasattr(h, 'ema_model')).ema_model
    own = runner.model.state_dict()
    found = average.module.state_dict()
    assert torch.equal(found['prompt.weight'], before['prompt.weight'])
    assert all(torch.equal(found[k], v) for k, v in own.items())


@pytest.mark.parametrize('lost', ['optimizer', 'message_hub', 'param_schedulers'])
def test_a_resume_needs_all_parts(trained, tmp_path, lost):
    checkpoint = read_checkpoint(trained)
    del checkpoint[lost]
    torch.save(checkpoint, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=f'The checkpoint lacks {lost}, without'):
        build(tmp_path, str(tmp_path / 'a.pth'), resume=True).train()


def test_a_resume_needs_exactly_the_weights(trained, state, tmp_path):
    state['more'] = state.pop('prompt.weight')
    path = save(tmp_path / 'a.pth', state, trained)
    message = r'(?s)1 missing: prompt.weight\n  1 unknown to the model: more'
    with pytest.raises(CheckpointError, match=message):
        build(tmp_path, path, resume=True).train()


def test_forms_of_load_from(trained):
    assert parse_load_from(str(trained)) == LoadFrom(str(trained))
    both = dict(checkpoint='a.pth', partial=True)
    assert parse_load_from(both) == LoadFrom('a.pth', True)
    assert not find_load_from_problems(None)
    assert not find_load_from_problems(dict(checkpoint=str(trained), partial=True))


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('none.pth', "load_from: checkpoint 'none.pth' does not exist."),
        (dict(checkpoint='none.pth'), "checkpoint 'none.pth' does not exist."),
        (3, 'load_from=3: expected the path of a checkpoint, or dict(checkpoint='),
        (dict(partial=True), 'load_from.checkpoint=None: expected the path of a file'),
        (
            dict(checkpoint='a.pth', partail=True),
            "unknown key 'partail': did you mean 'partial'?",
        ),
        (dict(checkpoint='a.pth', partial=1), 'load_from.partial=1: expected True or'),
        ('https://x.org/a.pth', "'https://x.org/a.pth' is an address. Download the"),
    ],
)
def test_a_malformed_load_from_is_a_problem_of_the_config(value, message):
    problems = find_problems(Config(dict(load_from=value)))
    assert len(problems) == 1
    assert message in problems[0]


def test_missing_weights_are_scored_on_demand_alone(trained, state, tmp_path, capsys):
    del state['tower.2.bias']
    path = save(tmp_path / 'a.pth', state, trained)
    loader = dict(batch_size=8, num_workers=0, dataset=dict(type='ToyNumbers'))
    config = toy_config(
        tmp_path / 'test',
        test_cfg=dict(type='BenchmarkLoop'),
        test_dataloader=dict(toy=loader),
        test_evaluator=dict(toy=dict(type='ToyScore')),
    )
    with pytest.raises(CheckpointError, match='1 missing: tower.2.bias'):
        score(config, path)
    config.experiment_name = 'scored_with_missing'
    assert 'toy/mean' in score(config, path, allow_missing=True)[0]
    printed = capsys.readouterr()
    assert '1 MISSING and random, so that scores mean little: tower.2.bias' in (
        printed.out + printed.err
    )
