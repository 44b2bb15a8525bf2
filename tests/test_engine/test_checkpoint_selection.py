"""The best epoch is selected on an allowed split, which logs and files report."""

import pytest
import torch
from mmengine.evaluator import BaseMetric

from hplreid.engine.run import score
from hplreid.engine.run import train as train_and_test
from hplreid.registry import DATASETS, METRICS
from hplreid.utils.checkpoints.checkpoint import read_checkpoint

from .engine_toy import ToyModel, ToyNumbers, toy_config, train

BEST = 'best_dev_mean_epoch_2.pth'


@METRICS.register_module()
class GivenScores(BaseMetric):
    """A metric with given scores, the highest one after epoch 2."""

    calls = 0

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        self.calls += 1
        return dict(mean=[1.0, 9.5, 2.0, 3.0, 4.0][self.calls - 1])


@DATASETS.register_module()
class ToySplit(ToyNumbers):
    """A toy dataset with the name of a split in its metainfo."""

    @classmethod
    def find_problems(cls, split):
        return []

    def __init__(self, split):
        super().__init__()
        self.metainfo['split'] = split


def loader(**dataset):
    return dict(batch_size=8, num_workers=0, dataset=dataset)


def config_with_selection(work_dir, val, test=None, **hook):
    """Return a config that selects on the benchmark ``dev`` and tests on ``final``."""
    config = toy_config(
        work_dir, log_level='INFO', experiment_name=f'sel{hash(str(work_dir))}'
    )
    config.merge_from_dict(
        dict(
            val_cfg=dict(type='BenchmarkValLoop'),
            val_dataloader=dict(dev=loader(**val)),
            val_evaluator=dict(dev=dict(type='GivenScores')),
            test_cfg=dict(type='BenchmarkLoop'),
            test_dataloader=dict(
                final=loader(**(test or dict(type='ToySplit', split='test')))
            ),
            test_evaluator=dict(final=dict(type='ToyScore')),
        )
    )
    config.default_hooks.checkpoint.update(save_best='dev/mean', rule='greater', **hook)
    return config


def log_of(folder):
    return '\n'.join(p.read_text() for p in sorted(folder.glob('*/*.log')))


VAL = dict(type='ToySplit', split='val')
TEST = dict(type='ToySplit', split='test')


def scores_of(path):
    """Return the mean prediction of the weights in a checkpoint."""
    model = ToyModel(num_ids=3)
    model.load_state_dict(read_checkpoint(path)['state_dict'])
    model.eval()
    data = ToyNumbers()
    items = [data[i] for i in range(len(data))]
    with torch.no_grad():
        predictions = model(
            [i['inputs'] for i in items], [0] * len(items), mode='predict'
        )
    return sum(item['value'] for item in predictions) / len(predictions)


def test_the_best_epoch_is_saved_with_a_record_and_tested(tmp_path):
    metrics = train_and_test(config_with_selection(tmp_path, VAL))
    record = dict(score='dev/mean', value=9.5, on='validation', epoch=2)
    assert read_checkpoint(tmp_path / BEST)['meta']['selection'] == record
    for epoch in range(1, 6):  # their own checkpoints have no record
        path = tmp_path / f'epoch_{epoch}.pth'
        assert 'selection' not in read_checkpoint(path)['meta']
    best, last = (scores_of(tmp_path / n) for n in (BEST, 'epoch_5.pth'))
    assert metrics['final/mean'] == pytest.approx(best, abs=1e-6)
    assert abs(best - last) > 1e-3
    log = log_of(tmp_path)
    assert 'The best epoch is selected on validation, by dev/mean' in log
    assert f'Loaded {BEST} for the test: best on validation by dev/mean (9.50)' in log
    table = log.rpartition('weights: ')[2].splitlines()[0]
    assert table.startswith('this run after epoch 2 (best on validation by dev/mean)')


SAME = dict(type='ToyNumbers', shift=7)


@pytest.mark.parametrize(
    ('val', 'test'),
    [(TEST, None), (TEST, dict(type='ToyNumbers')), (SAME, SAME)],
    ids=['the test split', 'a test split', 'a tested benchmark'],
)
def test_selection_on_a_test_split_is_an_error(tmp_path, val, test):
    with pytest.raises(ValueError, match=r'on the test split.*select_on_test=True'):
        train_and_test(config_with_selection(tmp_path, val, test))
    assert not list(tmp_path.glob('*.pth'))


def test_other_data_of_the_same_class_are_not_a_test_split(tmp_path):
    other = dict(type='ToyNumbers', shift=8)
    train_and_test(config_with_selection(tmp_path, other, SAME), test=False)
    record = read_checkpoint(tmp_path / BEST)['meta']['selection']
    assert record['on'] == 'validation'


def test_an_allowed_selection_on_test_is_reported_everywhere(tmp_path):
    config = config_with_selection(tmp_path / 'train', TEST, select_on_test=True)
    train_and_test(config.copy())
    record = read_checkpoint(tmp_path / 'train' / BEST)['meta']['selection']
    assert record['on'] == 'the test split'
    log = log_of(tmp_path / 'train')
    assert 'WARNING - The best epoch is selected on the test split, by dev/mean' in log
    selection = '(best on the test split by dev/mean)'
    assert f'weights: this run after epoch 2 {selection}' in log
    # And in a later test of the file, in which nothing is validated
    config.work_dir = str(tmp_path / 'test')
    config.experiment_name = f'score{hash(str(tmp_path))}'
    _, folder = score(config, str(tmp_path / 'train' / BEST))
    assert f'checkpoint: {BEST} {selection}' in log_of(folder)


def test_a_best_checkpoint_without_a_record_is_of_an_unknown_split(tmp_path):
    config = config_with_selection(tmp_path / 'test', VAL)
    path = tmp_path / BEST
    torch.save(dict(state_dict=ToyModel(num_ids=3).state_dict(), meta={}), path)
    _, folder = score(config, str(path))
    assert f'{BEST} (selected, on an unknown split)' in log_of(folder)


def test_without_selection_the_last_epoch_is_tested(tmp_path):
    config = config_with_selection(tmp_path, VAL)
    del config.default_hooks.checkpoint['save_best']
    metrics = train_and_test(config)
    last = scores_of(tmp_path / 'epoch_5.pth')
    assert metrics['final/mean'] == pytest.approx(last, abs=1e-6)
    assert 'weights: this run after epoch 5 (not selected)' in log_of(tmp_path)


def test_several_scores_to_select_by_are_an_error(tmp_path):
    config = config_with_selection(tmp_path, VAL)
    config.default_hooks.checkpoint.save_best = ['dev/mean', 'dev/other']
    with pytest.raises(ValueError, match='expected the name of one score'):
        train(config)
