"""The last table of a training, the files it keeps, and a test of them agree."""

from copy import deepcopy

import pytest
import torch
from mmengine.hooks import Hook

from hplreid.engine.hooks import ChangedWeightsError
from hplreid.engine.run import score, train
from hplreid.evaluation.files import read_ledger, read_scores
from hplreid.registry import HOOKS, METRICS, MODELS
from hplreid.utils.checkpoints.checkpoint import read_checkpoint
from hplreid.utils.checkpoints.weights_file import read_weights

from .engine_toy import ToyModel
from .test_checkpoint_selection import (
    VAL,
    GivenScores,
    config_with_selection,
    log_of,
)

SCORE = 'final/mean'


@METRICS.register_module()
class RisingScores(GivenScores):
    """A metric with given scores, the highest one after epoch 4 of 5."""

    def compute_metrics(self, results):
        self.calls += 1
        return dict(mean=[1.0, 2.0, 3.0, 9.5, 4.0][self.calls - 1])


@MODELS.register_module()
class ToyWithSwitch(ToyModel):
    """A toy model with a state that no file has."""

    shift = 0.0

    def forward(self, inputs, label, mode='loss'):
        outputs = super().forward(inputs, label, mode)
        if mode == 'predict':
            return [dict(value=sample['value'] + self.shift) for sample in outputs]
        return outputs


@HOOKS.register_module()
class SwitchHook(Hook):
    """Sets the state of :class:`ToyWithSwitch` before and after the training."""

    def before_train(self, runner):
        runner.model.shift = 7.0

    def after_train(self, runner):
        runner.model.shift = 9.0


@HOOKS.register_module()
class FreezeHook(Hook):
    """Freezes a layer, of which it has a copy since the start of the run."""

    def before_run(self, runner):
        self.copy = runner.model.tower[0].weight.detach().clone()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        runner.model.tower[0].weight.data.copy_(self.copy)

    def before_test_epoch(self, runner):
        runner.model.tower[0].weight.data.copy_(self.copy)


@HOOKS.register_module()
class AverageAtTheEndHook(Hook):
    """Averages the weights of all epochs, and puts the average into the model."""

    def before_train(self, runner):
        self.states = []

    def after_train_epoch(self, runner):
        state = runner.model.tower.state_dict()
        self.states.append({k: v.clone() for k, v in state.items()})

    def after_train(self, runner):
        values = {k: [state[k] for state in self.states] for k in self.states[0]}
        mean = {k: torch.stack(v).mean(0) for k, v in values.items()}
        runner.model.tower.load_state_dict(mean)


@HOOKS.register_module()
class SpoilHook(Hook):
    """Changes the weights before a test, as a wrong exchange would."""

    def before_test_epoch(self, runner):
        with torch.no_grad():
            runner.model.tower[0].bias.add_(1)


HOOKS_OF = dict(
    none=[],
    EMA=[dict(type='EMAHook', momentum=0.2, update_buffers=True)],
    SWA=[dict(type='EMAHook', ema_type='StochasticWeightAverage', begin_epoch=3)],
    EarlyStopping=[
        dict(type='EarlyStoppingHook', monitor='dev/mean', rule='greater', patience=1)
    ],
    freezing=[dict(type='FreezeHook')],
    a_switch=[dict(type='SwitchHook')],
)


def config_of(work_dir, hooks, save_best=False):
    config = config_with_selection(work_dir, VAL)
    # Formatting it takes most of a toy's time
    object.__setattr__(config, '_format_python_code', False)
    config.val_evaluator.dev.type = 'RisingScores'
    config.custom_hooks = deepcopy(hooks)
    if not save_best:
        del config.default_hooks.checkpoint['save_best']
    return config


def score_file(config, path, tag):
    config.experiment_name = f'kept{hash((str(path), tag))}'
    metrics, folder = score(config, str(path), tag=tag)
    return metrics[SCORE], read_scores(folder / 'metrics.json')[1]


def weights_hash(folder):
    return read_scores(folder / 'metrics.json')[1]['checkpoint']['weights_sha256']


@pytest.mark.parametrize(
    ('name', 'save_best'),
    [
        *((name, False) for name in HOOKS_OF),
        *(('none', True), ('EMA', True), ('EarlyStopping', True)),
    ],
)
def test_table_checkpoint_and_final_weights_agree(tmp_path, name, save_best):
    config = config_of(tmp_path, HOOKS_OF[name], save_best)
    if name == 'a_switch':
        config.model.type = 'ToyWithSwitch'
    epochs = 5
    if name == 'EarlyStopping':  # one epoch more, which it doesn't reach
        config.train_cfg.stages.align.epochs = 4
    table = train(deepcopy(config))[SCORE]
    last = tmp_path / f'epoch_{epochs}.pth'
    assert not (tmp_path / f'epoch_{epochs + 1}.pth').exists()
    kept = tmp_path / 'best_dev_mean_epoch_4.pth' if save_best else last
    of_file, provenance = score_file(config, kept, 'file')
    of_final, _ = score_file(config, tmp_path / 'final.safetensors', 'final')
    print(f'{name}, save_best={save_best}: {table!r} {of_file!r} {of_final!r}')
    assert table == of_file == of_final
    assert weights_hash(tmp_path) == provenance['checkpoint']['weights_sha256']
    checkpoint = read_checkpoint(kept)
    saved = checkpoint['state_dict']
    if name in ('EMA', 'SWA'):  # what was trained is not what is kept
        trained = checkpoint['ema_state_dict']['module.tower.0.weight']
        assert not torch.equal(trained, saved['tower.0.weight'])
    final = read_weights(tmp_path / 'final.safetensors')
    assert all(torch.equal(saved[k], v) for k, v in final['state_dict'].items())
    assert final['meta']['epoch'] == (4 if save_best else epochs)
    if save_best:
        of_last, _ = score_file(config, last, 'again')
        scores, provenance = read_scores(tmp_path / 'test' / 'last' / 'metrics.json')
        assert scores[SCORE] == of_last != table
        assert provenance['checkpoint']['selection'] is None
        entries, _ = read_ledger(tmp_path / 'results.jsonl')
        assert [e['folder'] for e in entries] == [
            *('test/last', '.', 'test/file', 'test/final', 'test/again')
        ]
        files = [e['provenance']['checkpoint']['path'] for e in entries[:2]]
        assert files == [str(last), str(tmp_path / 'final.safetensors')]
        selected = entries[1]['provenance']['checkpoint']['selection']
        assert selected['epoch'] == 4
        assert 'selected: epoch 4 | last: epoch 5' in log_of(tmp_path)


def test_weights_that_change_after_the_last_checkpoint_are_those_of_the_table(tmp_path):
    config = config_of(tmp_path, [dict(type='AverageAtTheEndHook')])
    table = train(deepcopy(config))[SCORE]
    of_final, _ = score_file(config, tmp_path / 'final.safetensors', 'final')
    of_last, _ = score_file(config, tmp_path / 'epoch_5.pth', 'last_epoch')
    assert table == of_final != of_last
    assert 'A hook has changed the weights after epoch_5.pth was saved' in log_of(
        tmp_path
    )


def test_the_selected_epoch_may_be_the_last_one(tmp_path):
    config = config_of(tmp_path, [], save_best=True)
    config.train_cfg.stages.align.epochs = 2
    table = train(deepcopy(config))[SCORE]
    of_last, _ = score_file(config, tmp_path / 'epoch_4.pth', 'last')
    assert table == of_last
    entries, _ = read_ledger(tmp_path / 'results.jsonl')
    assert [e['folder'] for e in entries] == ['.', 'test/last']


def test_weights_that_a_hook_exchanges_before_a_test_are_refused(tmp_path):
    config = config_of(tmp_path, [dict(type='SpoilHook')])
    with pytest.raises(ChangedWeightsError, match=r'final.safetensors .* SpoilHook'):
        train(config)
    assert not (tmp_path / 'metrics.json').exists()
