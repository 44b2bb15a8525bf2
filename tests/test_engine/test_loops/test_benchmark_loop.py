"""Several benchmarks in one test, run by MMEngine's Runner."""

import json
import re

import numpy as np
import pytest
import torch

from hplreid.engine.loops.benchmark_loop import TRAINED_ON
from hplreid.evaluation import FeatureSet, PerQueryScores, evaluate_ranking
from hplreid.evaluation.files import read_ledger, read_scores
from hplreid.registry import DATASETS
from tests.test_evaluation.toy import build_runner, loader, metric

TEST = {
    'test_cfg': {'type': 'BenchmarkLoop'},
    'test_dataloader': {'a_i2i': loader(0), 'b_t2i': loader(1)},
    'test_evaluator': {
        'a_i2i': metric('i2i'),
        'b_t2i': [metric('t2i'), metric('i2t', prefix='i2t', topk=[1])],
    },
}
VAL = {
    'val_cfg': {'type': 'BenchmarkValLoop'},
    'val_dataloader': {'dev': loader(2)},
    'val_evaluator': {'dev': metric('i2i')},
}
TRAIN = {
    'train_cfg': {'by_epoch': True, 'max_epochs': 2},
    'train_dataloader': {
        **loader(5),
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
    },
    'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
}


def table_rows(work_dir):
    """Title and cells, by benchmark, of the last table or tables in the log."""
    (path,) = work_dir.glob('*/*.log')
    lines = path.read_text().splitlines()
    starts = [i for i, x in enumerate(lines) if re.match('weights|checkpoint', x)]
    start = starts[-1]
    above, _, _ = '\n'.join(lines[start:]).partition('+-')
    rows = {}
    for line in lines[start:]:
        if not line.startswith('|'):
            continue
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if cells[0] == 'benchmark':
            header = cells
        else:
            rows[cells[0]] = dict(zip(header, cells, strict=True))
    return ' | '.join(above.splitlines()), rows


def test_scores_table_and_file(tmp_path):
    metrics = build_runner(tmp_path, **TEST).test()
    written = json.loads((tmp_path / 'metrics.json').read_text())
    assert list(written) == [*metrics, 'provenance']
    assert read_scores(tmp_path / 'metrics.json')[0] == metrics
    assert [p.name for p in tmp_path.glob('.*')] == []  # no temporary file is left
    assert list(metrics) == [
        *(f'a_i2i/{n}' for n in ('mAP', 'R1', 'R5', 'R10', 'mINP')),
        *(f'b_t2i/{n}' for n in ('R1', 'R5', 'R10', 'mAP', 'mINP')),
        *(f'b_t2i/i2t/{n}' for n in ('R1', 'mAP', 'mINP')),
    ]
    title, rows = table_rows(tmp_path)
    assert title == (
        'weights: as initialized, no checkpoint | processes: 1 | seed: 3 | '
        'distance: cosine | normalized: yes | re-ranking: none | AP: step | skipped: 0'
    )
    assert list(rows) == ['a_i2i', 'b_t2i', 'b_t2i/i2t']
    assert rows['a_i2i']['mAP'] == f'{metrics["a_i2i/mAP"]:.2f}'
    assert rows['a_i2i']['same camera'] == 'drop'
    assert rows['b_t2i']['same camera'] == 'keep'
    assert rows['b_t2i']['gallery'] == rows['b_t2i/i2t']['queries'] == '22'
    assert rows['b_t2i/i2t']['R5'] == '-'


def test_benchmarks_are_independent(tmp_path):
    """Each has the scores that it has alone, with the model in evaluation mode."""
    together = build_runner(tmp_path / 'both', **TEST).test()
    for name in ('a_i2i', 'b_t2i'):
        alone = {
            key: {name: TEST[key][name]}
            for key in ('test_dataloader', 'test_evaluator')
        }
        runner = build_runner(tmp_path / name, test_cfg=TEST['test_cfg'], **alone)
        own = runner.test()
        assert own == {k: v for k, v in together.items() if k.startswith(name)}


def test_hooks_see_one_epoch_over_all_benchmarks(tmp_path):
    calls = []
    runner = build_runner(tmp_path, **TEST)

    def record(name, **kwargs):
        calls.append((name, kwargs.get('batch_idx')))
        runner_call(name, **kwargs)

    runner_call, runner.call_hook = runner.call_hook, record
    runner.test()
    assert len(runner.test_dataloader) == 20
    batches = [
        (f'{when}_test_iter', i) for i in range(20) for when in ('before', 'after')
    ]
    assert calls == [
        ('before_run', None),
        ('before_test', None),
        ('before_test_epoch', None),
        *batches,
        ('after_test_epoch', None),
        ('after_test', None),
        ('after_run', None),
    ]
    assert runner.test_loop.evaluators['b_t2i'].dataset_meta == {'seed': 1}


def test_validation_in_training_then_test(tmp_path):
    """The best checkpoint is selected by the name of a benchmark's metric."""
    keep = {'type': 'CheckpointHook', 'save_best': 'dev/mAP', 'rule': 'greater'}
    runner = build_runner(
        tmp_path, **TEST, **VAL, **TRAIN, default_hooks={'checkpoint': keep}
    )
    runner.train()
    assert not (tmp_path / 'metrics.json').exists()
    title, rows = table_rows(tmp_path)
    assert 'this run after epoch 2' in title
    assert list(rows) == ['dev']
    assert list(tmp_path.glob('best_dev_mAP_epoch_*.pth'))
    runner.test()
    title, _ = table_rows(tmp_path)
    assert title.startswith('weights: this run after epoch 2 (not selected)')


@pytest.mark.parametrize(
    ('name', 'val_seed', 'expected'),
    [
        ('epoch_7.pth', 0, 'checkpoint: epoch_7.pth (not selected)'),
        ('best_dev_mAP_epoch_7.pth', 2, '(best on validation)'),
        ('best_dev_mAP_epoch_7.pth', 0, '(best on the test split)'),
    ],
)
def test_the_table_says_how_the_checkpoint_was_selected(
    tmp_path, name, val_seed, expected
):
    path = tmp_path / name
    torch.save({'state_dict': {'scale': torch.full((1,), 2.0)}}, path)
    val = {**VAL, 'val_dataloader': {'dev': loader(val_seed)}}
    build_runner(tmp_path, **TEST, **val, load_from=str(path)).test()
    assert expected in table_rows(tmp_path)[0]


def test_scores_of_each_query_are_written(tmp_path):
    metrics = build_runner(tmp_path, **TEST).test()
    names = ['a_i2i', 'b_t2i', 'b_t2i_i2t']
    assert sorted(p.stem for p in (tmp_path / 'per_query').iterdir()) == names
    for name in names:
        saved = PerQueryScores.load(tmp_path / 'per_query' / f'{name}.npz')
        prefix = name.replace('_i2t', '/i2t')
        for metric_name, values in saved.scores(topk=(1,)).items():
            expected = metrics[f'{prefix}/{metric_name}']
            assert np.nanmean(values) == pytest.approx(expected)
        queries = range(15, 37) if name == 'b_t2i_i2t' else range(15)
        assert saved.pids.tolist() == [i % 5 for i in queries]
        assert saved.names.tolist() == [f'words {i}' for i in queries]
    assert saved.settings['gallery'] == '15'  # one row an image, captions to find


def test_features_are_written_on_request(tmp_path):
    test = {
        **TEST,
        'test_cfg': dict(type='BenchmarkLoop', dump_features=str(tmp_path / 'feats')),
        'test_dataloader': {
            'a_i2i': loader(0, img_path='/some/where/x.jpg'),
            'b_t2i': loader(1),
        },
    }
    metrics = build_runner(tmp_path / 'run', **test).test()
    names = sorted(p.stem for p in (tmp_path / 'feats').iterdir())
    assert names == ['a_i2i', 'b_t2i', 'b_t2i_i2t']
    feats = FeatureSet.load(tmp_path / 'feats' / 'a_i2i.npz')
    assert (feats.distance, feats.same_camera) == ('cosine', 'drop')
    assert set(feats.query_names) == {'/some/where/x.jpg'}
    vectors = DATASETS.build(loader(0)['dataset']).vectors  # the model scales by 1
    np.testing.assert_array_equal(feats.query_feats, vectors[:15])
    np.testing.assert_array_equal(feats.gallery_feats, vectors[15:])
    again = evaluate_ranking(
        *(feats.query_feats, feats.gallery_feats),
        *(feats.query_pids, feats.gallery_pids),
        *(feats.query_camids, feats.gallery_camids),
    )
    assert again.mean_ap == metrics['a_i2i/mAP']
    # Names without folders, so that runs on different machines can be compared
    saved = PerQueryScores.load(tmp_path / 'run' / 'per_query' / 'a_i2i.npz')
    assert set(saved.names) == {'x.jpg'}


def test_every_file_says_where_it_comes_from(tmp_path):
    test = {**TEST, 'test_cfg': dict(type='BenchmarkLoop', dump_features=True)}
    metrics = build_runner(tmp_path, **test).test()
    _, provenance = read_scores(tmp_path / 'metrics.json')
    assert set(provenance) == {
        *('checkpoint', 'config', 'benchmarks', 'tta', 'precision', 'device'),
        *('processes', 'seed', 'versions', 'commit', 'time'),
    }
    settings = provenance['benchmarks']['a_i2i']['protocol']['RetrievalMetric']
    assert settings['re-ranking'] == 'none'
    assert settings['distance'] == 'cosine'
    assert provenance['benchmarks']['b_t2i']['protocol'].keys() == {
        *('RetrievalMetric', 'i2t')
    }
    assert provenance['checkpoint']['path'] is None
    files = [*(tmp_path / 'per_query').iterdir(), *(tmp_path / 'features').iterdir()]
    assert len(files) == 6
    for path in files:
        kind = PerQueryScores if path.parent.name == 'per_query' else FeatureSet
        assert kind.load(path).provenance == provenance
    (entry,), damaged = read_ledger(tmp_path / 'results.jsonl')
    assert damaged == []
    assert entry == dict(
        time=provenance['time'], folder='.', scores=metrics, provenance=provenance
    )


def test_reranked_scores_have_names_of_their_own(tmp_path):
    reranked = metric('i2i', rerank={'k1': 4, 'k2': 2})
    both = {'test_evaluator': {'a_i2i': [metric('i2i'), reranked]}}
    both['test_dataloader'] = {'a_i2i': loader(0)}
    metrics = build_runner(tmp_path, **{**TEST, **both}).test()
    assert metrics['a_i2i/mAP'] != metrics['a_i2i/reranked/mAP']
    assert list(table_rows(tmp_path)[1]) == ['a_i2i', 'a_i2i/reranked']
    names = sorted(p.stem for p in (tmp_path / 'per_query').iterdir())
    assert names == ['a_i2i', 'a_i2i_reranked']


def test_the_table_names_the_training_set(tmp_path):
    """The name comes from the message hub, where the checkpoint's is set."""
    runner = build_runner(tmp_path, **TEST)
    runner.message_hub.update_info(TRAINED_ON, 'market1501')
    runner.test()
    title, rows = table_rows(tmp_path)
    assert title == (
        'weights: as initialized, no checkpoint | trained on: market1501 | '
        'processes: 1 | seed: 3 | distance: cosine | normalized: yes | '
        're-ranking: none | AP: step | skipped: 0'
    )
    assert list(rows) == ['a_i2i', 'b_t2i', 'b_t2i/i2t']


@pytest.mark.parametrize(
    ('changed', 'error', 'message'),
    [
        (
            {'test_evaluator': {'a_i2i': metric('i2i'), 'c': metric('t2i')}},
            ValueError,
            r"only the first: \['b_t2i'\], only the second: \['c'\]",
        ),
        (
            {'test_dataloader': loader(0)},
            TypeError,
            'test_dataloader must be a dict of benchmarks',
        ),
        (
            {'test_evaluator': metric('i2i')},
            TypeError,
            'test_evaluator must be a dict of benchmarks',
        ),
        (
            {'test_evaluator': [metric('i2i')]},
            TypeError,
            'test_evaluator must be a dict of benchmarks',
        ),
        (
            {'test_cfg': dict(type='BenchmarkLoop', augment=dict(scales=[0]))},
            ValueError,
            'scales must be numbers above 0',
        ),
    ],
)
def test_malformed_configs_are_errors(tmp_path, changed, error, message):
    with pytest.raises(error, match=message):
        build_runner(tmp_path, **{**TEST, **changed}).test()
