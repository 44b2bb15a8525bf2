"""RetrievalMetric in one process."""

import pytest
import torch
from mmengine.evaluator import Evaluator

from hplreid.evaluation import (
    RetrievalMetric,
    evaluate_distances,
    evaluate_ranking,
    k_reciprocal_rerank,
)
from hplreid.structures import ReIDDataSample


def make_samples(queries=7, gallery=12, camids=True, seed=0):
    """Samples as a model leaves them, queries first."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for i in range(queries + gallery):
        sample = ReIDDataSample(
            metainfo={
                'pid': i % 3,
                'camid': i % 2 if camids else -1,
                'split': 'query' if i < queries else 'gallery',
                'sample_idx': i,
                'img_path': f'{i}.jpg' if i >= queries else None,
                'caption': f'words {i}' if i < queries else None,
            }
        )
        sample.i2i_feat = torch.randn(16, generator=generator)
        sample.t2i_feat = torch.randn(16, generator=generator)
        samples.append(sample)
    return samples


def score(samples, size=None, **options):
    metric = RetrievalMetric(**options)
    evaluator = Evaluator(metric)
    for start in range(0, len(samples), 4):
        evaluator.process(samples[start : start + 4])
    return evaluator.evaluate(len(samples) if size is None else size), metric


def expected(query, gallery, feature, cameras, distance='cosine'):
    def column(items, name):
        return [getattr(item, name) for item in items]

    cams = [column(query, 'camid'), column(gallery, 'camid')] if cameras else []
    return evaluate_ranking(
        torch.stack(column(query, feature)),
        torch.stack(column(gallery, feature)),
        column(query, 'pid'),
        column(gallery, 'pid'),
        *cams,
        distance=distance,
    )


@pytest.mark.parametrize(
    ('task', 'feature', 'cameras', 'swapped'),
    [
        ('i2i', 'i2i_feat', True, False),
        ('t2i', 't2i_feat', False, False),
        ('i2t', 't2i_feat', False, True),
    ],
)
@pytest.mark.parametrize('overridden', [False, True])
def test_protocol_of_each_task(task, feature, cameras, swapped, overridden):
    samples = make_samples()
    query, gallery = samples[:7], samples[7:]
    if swapped:
        query, gallery = gallery, query
    options = {'distance': 'euclidean', 'topk': (1, 3)}
    if overridden:
        cameras = not cameras
        options['same_camera'] = 'drop' if cameras else 'keep'
    scores, _ = score(samples, task=task, **options)
    result = expected(query, gallery, feature, cameras, 'euclidean')
    assert scores == {
        'mAP': result.mean_ap,
        'mINP': result.mean_inp,
        'R1': result.r1,
        'R3': result.rank_k(3),
    }
    other = expected(query, gallery, feature, not cameras, 'euclidean')
    assert scores['mAP'] != other.mean_ap  # the rule makes a difference here


def test_order_and_repeats_of_samples_change_nothing():
    samples = make_samples()
    scores, _ = score(samples, task='i2i')
    shuffled = [samples[i] for i in torch.randperm(19).tolist()]
    assert score(shuffled + shuffled[:5], size=19, task='i2i')[0] == scores


def test_a_metric_starts_afresh_after_each_evaluation():
    metric = RetrievalMetric('i2i')
    evaluator = Evaluator(metric)
    results = []
    for seed in (0, 1, 0):
        evaluator.process(make_samples(seed=seed))
        results.append(evaluator.evaluate(19))
    assert results[0] == results[2] != results[1]


def test_settings_say_what_moves_the_number():
    samples = make_samples()
    samples[0].set_metainfo({'pid': 77})
    samples[-1].set_metainfo({'pid': -1})
    _, metric = score(samples, task='i2i', distance='euclidean')
    assert metric.settings == {
        'distance': 'euclidean',
        'normalized': 'no',
        'same camera': 'drop',
        're-ranking': 'none',
        'AP': 'step',
        'queries': '6',
        'skipped': '1',
        'gallery': '11',
    }


def test_prefix_goes_before_the_names():
    scores, _ = score(make_samples(), task='t2i', prefix='words', topk=[1])
    assert set(scores) == {'words/mAP', 'words/mINP', 'words/R1'}


def test_ranked_lists_are_those_that_were_scored():
    samples = make_samples()
    _, metric = score(samples, task='t2i')
    ranked = metric.ranked_lists(num_queries=3, topk=4)
    assert [r.query.caption for r in ranked] == ['words 0', 'words 3', 'words 6']
    feats = torch.nn.functional.normalize(torch.stack([s.t2i_feat for s in samples]))
    nearest = (feats[7:] @ feats[3]).topk(4)
    paths = [f'{7 + i}.jpg' for i in nearest.indices.tolist()]
    assert [item.img_path for item in ranked[1].items] == paths
    assert ranked[1].scores == pytest.approx(nearest.values.tolist(), abs=1e-5)
    # Item 7 + i has identity (7 + i) % 3, query 3 has identity 0.
    marks = [
        'match' if (7 + i) % 3 == 0 else 'mismatch' for i in nearest.indices.tolist()
    ]
    assert list(ranked[1].marks) == marks
    with pytest.raises(RuntimeError, match='has scored nothing'):
        RetrievalMetric('t2i').ranked_lists(3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'task': 'i2v'}, r"task must be one of \('i2i', 't2i', 'i2t'\); got 'i2v'"),
        ({'task': 'i2i', 'same_camera': 'no'}, "same_camera must be .* got 'no'"),
        ({'task': 'i2i', 'distance': 'l1'}, "distance must be .* got 'l1'"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        RetrievalMetric(**options)


def test_wrong_data_are_named():
    samples = make_samples()
    with pytest.raises(ValueError, match='has 20 samples; 19 different ones'):
        score(samples, size=20, task='i2i')
    with pytest.raises(ValueError, match="No sample of split 'gallery' among 7"):
        score(samples[:7], task='i2i')
    with pytest.raises(ValueError, match='7 of 7 query samples have no camera'):
        score(make_samples(camids=False), task='i2i')
    score(make_samples(camids=False), task='i2i', same_camera='keep')
    del samples[0].i2i_feat
    with pytest.raises(KeyError, match="ranks by 'i2i_feat'.*holds: .*t2i_feat"):
        score(samples, task='i2i')


def test_reranking_is_an_option_and_named():
    samples = make_samples()
    scores, metric = score(samples, task='i2i', rerank=dict(k1=4, k2=2))
    query, gallery = samples[:7], samples[7:]
    features = [torch.stack([s.i2i_feat for s in side]) for side in (query, gallery)]
    distances = k_reciprocal_rerank(*features, 4, 2, distance='cosine')
    ids = [[s.pid for s in side] for side in (query, gallery)]
    cameras = [[s.camid for s in side] for side in (query, gallery)]
    result = evaluate_distances(distances, *ids, *cameras)
    # Not under the names of plain scores, unless somebody gives another prefix
    assert list(scores)[:2] == ['reranked/mAP', 'reranked/R1']
    own, _ = score(samples, task='i2i', rerank=dict(k1=4, k2=2), prefix='k4')
    assert own['k4/mAP'] == scores['reranked/mAP']
    assert scores['reranked/mAP'] == pytest.approx(result.mean_ap, abs=1e-9)
    plain = score(samples, task='i2i')[0]['mAP']
    assert scores['reranked/mAP'] != pytest.approx(plain)
    assert 'original, k1=4, k2=2, lambda=0.3, cosine' in metric.settings['re-ranking']


def test_other_average_precision():
    samples = make_samples()
    scores, metric = score(samples, task='i2i', ap='trapezoid')
    query, gallery = samples[:7], samples[7:]
    result = evaluate_ranking(
        torch.stack([s.i2i_feat for s in query]),
        torch.stack([s.i2i_feat for s in gallery]),
        [s.pid for s in query],
        [s.pid for s in gallery],
        [s.camid for s in query],
        [s.camid for s in gallery],
        ap='trapezoid',
    )
    assert scores['mAP'] == pytest.approx(result.mean_ap)
    assert scores['mAP'] < score(samples, task='i2i')[0]['mAP']
    assert metric.settings['AP'] == 'trapezoid'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(ap='steps'), 'ap must be one of'),
        (dict(rerank=dict(k1=0)), 'k1 must be an integer from 1'),
        (dict(rerank=dict(variant='mine')), "Unknown variant 'mine'"),
    ],
)
def test_wrong_options_are_said_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        RetrievalMetric('i2i', **options)
