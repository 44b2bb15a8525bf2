"""Features as lists are taken as arrays, or refused in words; by every function."""

import numpy as np
import pytest
import torch

from hplreid.evaluation import (
    KReciprocalReranker,
    augment_gallery,
    average_query_expansion,
    evaluate_distances,
    evaluate_ranking,
    evaluate_reranking,
    evaluate_sharded,
    k_reciprocal_rerank,
    open_set_report,
    rank_gallery,
    verification_report,
)
from hplreid.structures.ranked_list import RankedItem

RNG = np.random.default_rng(0)
QUERY, GALLERY = RNG.normal(size=(4, 6)), RNG.normal(size=(9, 6))
PIDS = [1, 2, 3, 1], [1, 2, 3, 4, 1, 2, 3, 4, 4]
ITEMS = [[RankedItem(str(i), None, pid, 0) for i, pid in enumerate(p)] for p in PIDS]


def list_ranks(query, gallery):
    options = {'drop_same_camera': False, 'num_queries': 4, 'topk': 3}
    return [found.scores for found in rank_gallery(query, gallery, *ITEMS, **options)]


FUNCTIONS = {
    'ranking': lambda q, g: evaluate_ranking(q, g, *PIDS).ap,
    'sharded': lambda q, g: evaluate_sharded(q, g, *PIDS).ap,
    'reranking': lambda q, g: evaluate_reranking(q, g, *PIDS, k1=3, k2=2).ap,
    'rerank': lambda q, g: k_reciprocal_rerank(q, g, k1=3, k2=2),
    'reranker': lambda q, g: KReciprocalReranker(q, g, k1=3, k2=2).block(0, 4),
    'expansion': lambda q, g: average_query_expansion(q, g, k=2),
    'augmentation': lambda q, g: augment_gallery(g, k=2),
    'open set': lambda q, g: open_set_report(q, g, [1, 2, 3, 9], PIDS[1]).fnirs,
    'verification': lambda q, g: verification_report(q, g, *PIDS).auc,
    'lists': list_ranks,
    'distances': lambda q, g: evaluate_distances(g[:4], *PIDS[:1], list(range(6))).ap,
}


@pytest.mark.parametrize('name', FUNCTIONS)
def test_lists_are_arrays(name):
    function = FUNCTIONS[name]
    expected = function(QUERY, GALLERY)
    np.testing.assert_array_equal(function(QUERY.tolist(), GALLERY.tolist()), expected)
    rows = [list(map(torch.tensor, feats)) for feats in (QUERY, GALLERY)]
    np.testing.assert_array_equal(function(*rows), expected)


@pytest.mark.parametrize('name', FUNCTIONS)
@pytest.mark.parametrize(
    'wrong', [[[1.0, 2.0], [1.0]], [['a', 'b'], ['c', 'd']], {'a': [1.0]}]
)
def test_what_makes_no_array_is_a_type_error(name, wrong):
    if name == 'distances' and isinstance(wrong, dict):
        wrong = [[None]]
    with pytest.raises(TypeError, match=r'(query_feats|gallery_feats|distmat) must be'):
        FUNCTIONS[name](QUERY.tolist() if name == 'distances' else wrong, wrong)
