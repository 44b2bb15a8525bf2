"""Which queries are shown, what is listed for them, and how it is marked."""

import pytest
import torch

from hplreid.evaluation import rank_gallery
from hplreid.evaluation.ranking.nearest_gallery import spread_evenly
from hplreid.structures.ranked_list import RankedItem


@pytest.mark.parametrize(
    ('total', 'count', 'expected'),
    [
        (3, 5, [0, 1, 2]),
        (5, 5, [0, 1, 2, 3, 4]),
        (101, 3, [0, 50, 100]),
        (10, 1, [0]),
        (11, 6, [0, 2, 4, 6, 8, 10]),
    ],
)
def test_queries_are_spread_from_first_to_last(total, count, expected):
    assert spread_evenly(total, count) == expected


def test_nearest_first_with_marks_and_scores():
    query = [RankedItem('q0', None, 1, 0), RankedItem('q1', None, 2, 0)]
    gallery = [
        RankedItem('mismatch', None, 2, 0),
        RankedItem('same camera', None, 1, 0),
        RankedItem('match', None, 1, 1),
        RankedItem('junk', None, -1, 1),
    ]
    gallery_feats = torch.tensor([[0.0, 1], [1, 0], [3, 4], [-1, 0]])
    (ranked,) = rank_gallery(
        torch.tensor([[2.0, 0], [0, 1]]),
        gallery_feats,
        query,
        gallery,
        drop_same_camera=True,
        num_queries=1,
        topk=10,
    )
    assert ranked.query is query[0]
    names = [item.img_path for item in ranked.items]
    assert names == ['same camera', 'match', 'mismatch', 'junk']
    assert ranked.marks == ('ignored', 'match', 'mismatch', 'ignored')
    assert ranked.scores == pytest.approx((1, 0.6, 0, -1))

    (kept,) = rank_gallery(
        torch.tensor([[2.0, 0]]),
        gallery_feats,
        query[:1],
        gallery,
        drop_same_camera=False,
        num_queries=1,
        topk=2,
    )
    assert kept.marks == ('match', 'match')


@pytest.mark.parametrize(
    ('distance', 'expected'), [('euclidean', (1, 5)), ('sqeuclidean', (1, 25))]
)
def test_scores_are_the_named_distance(distance, expected):
    items = [RankedItem(None, 'x', 1, -1)] * 2
    (ranked,) = rank_gallery(
        torch.tensor([[0.0, 1]]),
        torch.tensor([[3.0, 5], [0, 2]]),
        items[:1],
        items,
        distance=distance,
        drop_same_camera=False,
        num_queries=1,
        topk=2,
    )
    assert ranked.scores == pytest.approx(expected)
