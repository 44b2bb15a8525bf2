"""An epoch is chosen on what it may be chosen on, and everything says what that was."""

import pytest
import torch
from mmengine.evaluator import BaseMetric

from hplreid.engine import run as workflow
from hplreid.registry import DATASETS, METRICS
from hplreid.utils.checkpoint import read_checkpoint

from .engine_toy import ToyModel, ToyNumbers, toy_config, train

BEST = 'best_dev_mean_epoch_2.pth'


@METRICS.register_module()
class GivenScores(BaseMetric):
    """Epoch 2 scores best, whatever it predicts."""

    calls = 0

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        self.calls += 1
        return dict(mean=[1.0, 9.5, 2.0, 3.0, 4.0][self.calls - 1])


@DATASETS.register_module()
class ToySplit(ToyNumbers):
    """Numbers that say which split they are of."""

    @classmethod
    def find_problems(cls, split):
        return []

    def __init__(self, split):
        super().__init__()
        self.metainfo['split'] = split


def loader(**dataset):
    return dict(batch_size=8, num_workers=0, dataset=dataset)


def selecting(work_dir, val, test=None, **hook):
    """A config that selects by benchmark ``dev`` and tests on ``final``."""
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
    """Mean prediction of a checkpoint's weights."""
    model = ToyModel(num_ids=3)
    model.load_state_dict(read_checkpoint(path)['state_dict'])
    model.eval()
    data = ToyNumbers()
    items = [data[i] for i in range(len(data))]
    with torch.no_grad():
        found = model([i['inputs'] for i in items], [0] * len(items), mode='predict')
    return sum(item['value'] for item in found) / len(found)


def test_the_best_epoch_is_kept_stamped_and_scored(tmp_path):
    metrics = workflow.train(selecting(tmp_path, VAL))
    stamp = dict(score='dev/mean', value=9.5, on='validation', epoch=2)
    assert read_checkpoint(tmp_path / BEST)['meta']['selection'] == stamp
    for epoch in range(1, 6):  # these are not selected, also the one that was best
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
    ids=['the test split', 'a test split', 'what is tested'],
)
def test_a_test_split_is_refused(tmp_path, val, test):
    with pytest.raises(ValueError, match=r'on the test split.*select_on_test=True'):
        workflow.train(selecting(tmp_path, val, test))
    assert not list(tmp_path.glob('*.pth'))


def test_other_data_of_the_same_class_are_no_test_split(tmp_path):
    other = dict(type='ToyNumbers', shift=8)
    workflow.train(selecting(tmp_path, other, SAME), test=False)
    stamp = read_checkpoint(tmp_path / BEST)['meta']['selection']
    assert stamp['on'] == 'validation'


def test_a_selection_on_test_that_was_asked_for_is_stamped_everywhere(tmp_path):
    config = selecting(tmp_path / 'train', TEST, select_on_test=True)
    workflow.train(config.copy())
    stamp = read_checkpoint(tmp_path / 'train' / BEST)['meta']['selection']
    assert stamp['on'] == 'the test split'
    log = log_of(tmp_path / 'train')
    assert 'WARNING - The best epoch is selected on the test split, by dev/mean' in log
    chosen = '(best on the test split by dev/mean)'
    assert f'weights: this run after epoch 2 {chosen}' in log
    # And when the file is scored later, by a config that doesn't validate at all
    config.work_dir = str(tmp_path / 'test')
    config.experiment_name = f'score{hash(str(tmp_path))}'
    workflow.score(config, str(tmp_path / 'train' / BEST))
    assert f'checkpoint: {BEST} {chosen}' in log_of(tmp_path / 'test')


def test_a_best_checkpoint_without_a_stamp_is_not_vouched_for(tmp_path):
    config = selecting(tmp_path / 'test', VAL)
    path = tmp_path / BEST
    torch.save(dict(state_dict=ToyModel(num_ids=3).state_dict(), meta={}), path)
    workflow.score(config, str(path))
    assert f'{BEST} (selected, on an unknown split)' in log_of(tmp_path / 'test')


def test_without_selection_the_last_epoch_is_scored(tmp_path):
    config = selecting(tmp_path, VAL)
    del config.default_hooks.checkpoint['save_best']
    metrics = workflow.train(config)
    last = scores_of(tmp_path / 'epoch_5.pth')
    assert metrics['final/mean'] == pytest.approx(last, abs=1e-6)
    assert 'weights: this run after epoch 5 (not selected)' in log_of(tmp_path)


def test_one_score_chooses(tmp_path):
    config = selecting(tmp_path, VAL)
    config.default_hooks.checkpoint.save_best = ['dev/mean', 'dev/other']
    with pytest.raises(ValueError, match='expected the name of one score'):
        train(config)
