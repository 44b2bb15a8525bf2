"""The programs that score features and compare runs, and one model on many data."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hplreid.engine.results import hash_file
from hplreid.evaluation import (
    FeatureSet,
    PerQueryScores,
    bootstrap_mean,
    compare_means,
    evaluate_ranking,
    open_set_report,
    verification_report,
)
from hplreid.evaluation.files import append_entry, read_scores

ROOT = Path(__file__).resolve().parents[2]


EVALUATE = 'analysis_tools/eval_features.py'
COMPARE = 'analysis_tools/compare_runs.py'


def make_features(path, noise=1.5, seed=0, cameras=True, **changed):
    """A feature file of 40 queries and 90 gallery items."""
    rng = np.random.default_rng(seed)
    pids = np.arange(40) % 10, np.arange(90) % 10
    centers = np.random.default_rng(9).normal(size=(10, 8))
    content = dict(
        query_feats=centers[pids[0]] + noise * rng.normal(size=(40, 8)),
        gallery_feats=centers[pids[1]] + noise * rng.normal(size=(90, 8)),
        query_pids=pids[0],
        gallery_pids=pids[1],
    )
    if cameras:
        content |= dict(query_camids=np.arange(40) % 4, gallery_camids=pids[1] % 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    FeatureSet(**{**content, **changed}).save(path)
    return FeatureSet.load(path)


def arguments(feats, cameras=True):
    ids = [feats.query_pids, feats.gallery_pids]
    if cameras:
        ids += [feats.query_camids, feats.gallery_camids]
    return [feats.query_feats, feats.gallery_feats, *ids]


def rows(printed):
    """Cells of every line of every table."""
    lines = [line for line in printed.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_everything_about_a_file(call, tmp_path):
    feats = make_features(tmp_path / 'peer.npz')
    code, printed = call(
        EVALUATE,
        tmp_path / 'peer.npz',
        *('--verification', '--open-set', 0.5, '--bootstrap', '--topk', 1, 3),
        *('--out', tmp_path / 'out'),
    )
    assert code is None, printed
    metrics, provenance = read_scores(tmp_path / 'out' / 'metrics.json')
    assert provenance['peer']['features']['sha256'] == hash_file(tmp_path / 'peer.npz')
    ranking = evaluate_ranking(*arguments(feats))
    pairs = verification_report(*arguments(feats))
    search = open_set_report(*arguments(feats), absent=0.5)
    expected = dict(mAP=ranking.mean_ap, mINP=ranking.mean_inp, R1=ranking.r1)
    expected |= dict(R3=ranking.rank_k(3), **pairs.scores(), **search.scores())
    assert metrics == {f'peer/{k}': v for k, v in expected.items()}
    cells = rows(printed)
    header = next(r for r in cells if r[0] == 'benchmark')
    row = next(r for r in cells if r[0] == 'peer')
    assert dict(zip(header, row, strict=True))['mAP'] == f'{ranking.mean_ap:.2f}'
    assert 'same camera: drop' in printed
    threshold = next(r for r in cells if r[0] == '0.01' and len(r) == 4)[3]
    assert threshold == f'{pairs.thresholds[1]:.4f}'
    interval = bootstrap_mean(ranking.ap, feats.query_pids)
    mean_ap = [f'{interval.mean:.2f}', f'{interval.low:.2f} to {interval.high:.2f}']
    assert ['mAP', *mean_ap] in cells
    with Image.open(tmp_path / 'out' / 'peer_verification.png') as image:
        assert min(image.size) > 300
    saved = PerQueryScores.load(tmp_path / 'out' / 'per_query' / 'peer.npz')
    np.testing.assert_array_equal(saved.ap, ranking.ap)
    written = json.loads((tmp_path / 'out/peer_thresholds.json').read_text())
    assert written == {
        'verification': pairs.operating_points(),
        'open set': search.operating_points(),
    }
    point = written['verification']['points'][1]
    assert point['threshold'] == pairs.thresholds[1]
    assert point['FAR at most'] == 0.01 >= point['FAR']  # shares, both


@pytest.mark.parametrize(
    ('saved', 'options', 'distance', 'cameras'),
    [
        ({}, [], 'cosine', True),
        ({'cameras': False}, [], 'cosine', False),
        ({'distance': 'euclidean', 'same_camera': 'keep'}, [], 'euclidean', False),
        (
            {'distance': 'euclidean', 'same_camera': 'keep'},
            ['--distance', 'cosine', '--same-camera', 'drop'],
            'cosine',
            True,
        ),
        ({}, ['--same-camera', 'keep'], 'cosine', False),
    ],
)
def test_protocol_is_asked_for_then_the_files(
    call, tmp_path, saved, options, distance, cameras
):
    feats = make_features(tmp_path / 'f.npz', **saved)
    code, _ = call(EVALUATE, tmp_path / 'f.npz', *options, '--out', tmp_path)
    assert code is None
    metrics, _ = read_scores(tmp_path / 'metrics.json')
    ranking = evaluate_ranking(*arguments(feats, cameras), distance=distance)
    assert metrics['f/mAP'] == ranking.mean_ap


def test_wrong_files_are_named(call, tmp_path):
    make_features(tmp_path / 'f.npz', cameras=False)
    code, printed = call(EVALUATE, tmp_path / 'f.npz', '--same-camera', 'drop')
    assert code == 2
    assert re.search("f.npz: The camera rule 'drop' needs query_camids", printed)
    np.savez(tmp_path / 'g.npz', query_feats=np.eye(2))
    code, printed = call(EVALUATE, tmp_path / 'g.npz')
    assert code == 2
    assert 'lacks query_pids, gallery_pids, gallery_feats' in printed
    code, printed = call(EVALUATE, tmp_path / 'none.npz')
    assert code == 2
    assert 'does not exist' in printed
    make_features(tmp_path / 'h.npz', gallery_pids=np.arange(90) + 50)
    code, printed = call(EVALUATE, tmp_path / 'h.npz')
    assert code == 2
    assert 'None of the 40 queries has a match' in printed


@pytest.fixture
def runs(call, tmp_path):
    """Two runs on ``x``, each with another benchmark of its own."""
    for run, noise, other in (('a', 1.5, 'y'), ('b', 1.0, 'z')):
        files = [tmp_path / f'{run}_feats' / f'{n}.npz' for n in ('x', other)]
        for file in files:
            make_features(file, noise)
        call(EVALUATE, *files, '--out', tmp_path / run)
    return tmp_path / 'a', tmp_path / 'b'


def test_two_runs_are_compared_query_by_query(call, runs):
    code, printed = call(COMPARE, *runs)
    assert code is None, printed
    a, b = (PerQueryScores.load(run / 'per_query' / 'x.npz') for run in runs)
    test = compare_means(a.ap, b.ap, a.pids)
    assert test.difference > 0
    assert [
        *('x', 'mAP', f'{np.nanmean(a.ap):.2f}', f'{np.nanmean(b.ap):.2f}'),
        f'{test.difference:+.2f}',
        f'{test.low:+.2f} to {test.high:+.2f}',
        f'{test.p_value:.4f}',
    ] in rows(printed)
    assert [r[1] for r in rows(printed)[2:]] == ['mAP', 'R1', 'R5', 'R10', 'mINP']
    assert 'In one run alone: y, z' in printed
    assert 'Settings differ' not in printed


def test_one_run_has_intervals(call, runs):
    code, printed = call(COMPARE, runs[0], '--confidence', 0.9, '--topk', 2)
    assert code is None
    saved = PerQueryScores.load(runs[0] / 'per_query' / 'x.npz')
    found = bootstrap_mean(saved.ap, saved.pids, confidence=0.9)
    interval = f'{found.low:.2f} to {found.high:.2f}'
    assert ['x', 'mAP', f'{found.mean:.2f}', interval] in rows(printed)
    assert '90 % interval' in printed
    assert [r[1] for r in rows(printed) if r[0] == 'y'] == ['mAP', 'R2', 'mINP']


def test_another_distance_is_said(call, runs, tmp_path):
    file = tmp_path / 'a_feats' / 'x.npz'
    call(EVALUATE, file, '--distance', 'euclidean', '--out', tmp_path / 'c')
    _, printed = call(COMPARE, runs[0], tmp_path / 'c')
    assert 'Settings differ: x: distance: cosine and euclidean' in printed


def test_runs_over_other_queries_are_refused(call, runs, tmp_path):
    make_features(tmp_path / 'x.npz', query_pids=(np.arange(40) + 1) % 10)
    call(EVALUATE, tmp_path / 'x.npz', '--out', tmp_path / 'c')
    code, printed = call(COMPARE, runs[0], tmp_path / 'c')
    assert code == 2
    same = 'the runs did not score the same:\n  x: identities of queries: 40 of'
    assert same in printed
    make_features(tmp_path / 'w.npz')
    call(EVALUATE, tmp_path / 'w.npz', '--out', tmp_path / 'd')
    code, printed = call(COMPARE, runs[0], tmp_path / 'd')
    assert "no benchmark in common: ['x', 'y'] and ['w']" in printed
    code, printed = call(COMPARE, tmp_path / 'nowhere')
    assert 'has no per_query/*.npz' in printed
    assert code == 2


def rewrite(run, **provenance):
    """Write where the scores of ``x`` come from."""
    path = run / 'per_query' / 'x.npz'
    replace(PerQueryScores.load(path), provenance=provenance).save(path)


def test_runs_over_other_data_are_refused(call, runs):
    for run, data in zip(runs, ('a' * 64, 'b' * 64), strict=True):
        rewrite(run, benchmarks=dict(x=dict(dataset=data)))
    code, printed = call(COMPARE, *runs)
    assert code == 2
    assert 'items differ (hashes aaaaaaaa and bbbbbbbb)' in printed


def test_what_else_differs_is_said(call, runs):
    for run, tta in zip(runs, ('none', 'flip'), strict=True):
        weights = dict(weights_sha256='c' * 64)
        rewrite(run, tta=tta, precision='fp32', checkpoint=weights)
    code, printed = call(COMPARE, *runs)
    assert code is None
    assert 'Settings differ: tta: none and flip' in printed
    assert 'precision' not in printed
    assert 'Both runs scored the same weights (cccccccc)' in printed


def test_evaluations_of_a_work_folder_are_listed(call, runs):
    protocol = {'RetrievalMetric': {'distance': 'cosine', 're-ranking': 'none'}}
    protocol['reranked'] = {'distance': 'cosine', 're-ranking': 'original, k1=20'}
    provenance = dict(
        checkpoint=dict(path='/a/epoch_3.pth', weights_sha256='d' * 64),
        benchmarks=dict(x=dict(protocol=protocol)),
        tta='flip',
    )
    scores = {'x/mAP': 12.345, 'x/R1': 50.0, 'x/reranked/mAP': 23.456}
    entry = dict(time='now', folder='test/a', scores=scores, provenance=provenance)
    ledger = runs[0] / 'results.jsonl'
    append_entry(ledger, entry)
    with open(ledger, 'a') as file:
        file.write('{"cut')
    code, printed = call(COMPARE, runs[0])
    assert code is None
    start = ['test/a', 'now', 'epoch_3.pth', 'dddddddd']
    plain = 'distance: cosine | re-ranking: none | flip'
    cells = [[c.strip() for c in row] for row in rows(printed)]
    assert [*start, 'x/mAP', '12.35', *plain.split(' | ')] in cells
    assert [*[''] * 4, 'x/reranked/mAP', '23.46'] == next(
        r[:6] for r in cells if 'x/reranked/mAP' in r
    )
    assert 're-ranking: original, k1=20' in printed
    assert 'they are damaged: lines 2' in printed
    for file in (runs[0] / 'per_query').iterdir():
        file.unlink()
    code, printed = call(COMPARE, runs[0])
    assert code == 2
    assert 'test/a' in printed


def test_scores_of_features_replace_no_others(call, tmp_path):
    make_features(tmp_path / 'f.npz')
    arguments = (EVALUATE, tmp_path / 'f.npz', '--out', tmp_path / 'out')
    assert call(*arguments)[0] is None
    code, printed = call(*arguments)
    assert code == 2
    assert "metrics.json' exists" in printed
    assert call(*arguments, '--overwrite')[0] is None
    make_features(tmp_path / 'other' / 'f.npz')
    both = (tmp_path / 'f.npz', tmp_path / 'other' / 'f.npz')
    code, printed = call(EVALUATE, *both, '--out', tmp_path / 'new')
    assert code == 2
    assert 'rename those of the same name' in printed


def test_train_on_one_score_on_others(call, tmp_path):
    """One command: benchmarks that a config adds to those of the one it inherits."""
    loader = dict(batch_size=4, num_workers=0, dataset=dict(type='ToyVectors', seed=0))
    metric = dict(type='RetrievalMetric', task='i2i')
    Config(
        dict(
            model=dict(type='ToyIdentity'),
            custom_imports=dict(imports=['tests.test_evaluation.toy']),
            default_scope='hplreid',
            randomness=dict(seed=0),
            log_level='INFO',
            test_cfg=dict(type='BenchmarkLoop'),
            test_dataloader=dict(a=loader),
            test_evaluator=dict(a=metric),
        )
    ).dump(tmp_path / 'trained_on_a.py')
    (tmp_path / 'cross.py').write_text(
        "_base_ = './trained_on_a.py'\n"
        "loader = dict(batch_size=4, num_workers=0, dataset=dict(type='ToyVectors'))\n"
        'test_dataloader = dict(\n'
        '    b=dict(loader, dataset=dict(type="ToyVectors", seed=1)),\n'
        '    c=dict(loader, dataset=dict(type="ToyVectors", seed=2)),\n'
        ')\n'
        "metric = dict(type='RetrievalMetric', task='i2i')\n"
        'test_evaluator = dict(b=metric, c=metric)\n'
    )
    checkpoint = tmp_path / 'epoch_7.pth'
    torch.save(
        {
            'state_dict': {'scale': torch.ones(1)},
            'meta': {'dataset_meta': {'dataset_name': 'data_of_a'}},
        },
        checkpoint,
    )
    code, printed = call(
        'test.py',
        tmp_path / 'cross.py',
        checkpoint,
        *('--work-dir', tmp_path / 'run', '--dump-features', tmp_path / 'feats'),
        *('--tag', 'elsewhere'),
    )
    assert code is None, printed
    table = rows(printed)
    assert 'checkpoint: epoch_7.pth (not selected) | trained on: data_of_a' in printed
    assert [r[0] for r in table if r[0] in 'abc'] == ['a', 'b', 'c']
    run = tmp_path / 'run' / 'test' / 'elsewhere'
    metrics, _ = read_scores(run / 'metrics.json')
    # What was written scores the same
    files = [tmp_path / 'feats' / f'{name}.npz' for name in 'abc']
    call(EVALUATE, *files, '--out', tmp_path / 'again')
    again, provenance = read_scores(tmp_path / 'again' / 'metrics.json')
    assert again == metrics
    # They are traced back to the checkpoint
    assert provenance['a']['checkpoint']['path'] == str(checkpoint)
    code, printed = call(COMPARE, run, tmp_path / 'again')
    assert code is None, printed
    assert {r[4] for r in rows(printed) if len(r) == 7 and r[0] in 'abc'} == {'+0.00'}


def test_features_need_a_metric_that_keeps_them(call, tmp_path):
    from .test_train_and_test_toy import write

    config = write(tmp_path)
    call('train.py', config, '--work-dir', tmp_path / 'run', '--no-test')
    code, printed = call(
        'test.py',
        config,
        tmp_path / 'run' / 'epoch_5.pth',
        *('--work-dir', tmp_path / 'test', '--dump-features', tmp_path / 'feats'),
    )
    assert code == 2
    assert "no metric of ['toy'] keeps features" in printed
