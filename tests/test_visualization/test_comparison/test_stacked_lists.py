"""Lists of models one over the other: which queries, and what is drawn."""

import numpy as np
import pytest
from PIL import Image

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.files import OtherItemsError, UnnamedItemsError
from hplreid.visualization import (
    FigureError,
    choose_queries,
    compare_lists,
    draw_stacked_lists,
    save_figure,
)


@pytest.fixture
def models(tmp_path):
    """A good and a bad model of six captions and six images of three people."""
    paths = []
    for number in range(6):
        paths.append(str(tmp_path / f'{number}.png'))
        Image.new('RGB', (20, 40), (40 * number, 2, 250)).save(paths[-1])
    captions = [f'caption {n}: a person in a coat of color {n}' for n in range(6)]
    pids = np.arange(6) // 2
    items = dict(
        query_pids=pids,
        gallery_pids=pids,
        query_names=np.array(captions),
        gallery_names=np.array(paths),
        same_camera='keep',
    )
    rng = np.random.default_rng(0)
    gallery = np.eye(3)[pids] + 0.1 * rng.normal(size=(6, 3))
    good = FeatureSet(np.eye(3)[pids], gallery, **items)
    bad = FeatureSet(np.eye(3)[[0, 0, 2, 1, 2, 2]], gallery, **items)
    return {'bad': bad, 'good': good}


def test_gain_and_loss_are_differences():
    first = np.array([50.0, 20.0, np.nan, 70.0, 10.0])
    second = np.array([40.0, 90.0, 99.0, 70.0, 60.0])
    assert choose_queries(first, second, 'gain', 9).tolist() == [1, 4]
    assert choose_queries(first, second, 'gain', 1).tolist() == [1]
    assert choose_queries(first, second, 'loss', 9).tolist() == [0]
    drawn = choose_queries(first, second, 'random', 3, seed=5)
    assert drawn.tolist() == sorted(set(drawn)) != [2]
    assert drawn.tolist() == choose_queries(first, second, 'random', 3, seed=5).tolist()
    assert choose_queries(first, second, 'random', 9).tolist() == [0, 1, 3, 4]


def test_queries_that_do_not_differ_are_said():
    same = np.array([50.0, 60.0])
    with pytest.raises(FigureError, match='No query scores higher.*of 2'):
        choose_queries(same, same)
    with pytest.raises(FigureError, match="'best': expected one of gain, loss, random"):
        choose_queries(same, same, 'best')


def test_both_models_are_shown_for_the_queries_that_gain(models):
    (query,) = compare_lists(models, num=3, topk=4)
    assert query.scores['good'] == 100
    assert query.scores['bad'] < 100
    assert list(query.lists) == ['bad', 'good']
    captions = {ranked.query.caption for ranked in query.lists.values()}
    assert captions == {'caption 2: a person in a coat of color 2'}
    assert query.lists['good'].marks[:2] == ('match', 'match')
    assert query.lists['bad'].marks[0] == 'mismatch'


def test_every_word_rank_and_score_is_drawn(models, tmp_path):
    queries = compare_lists(models, 'random', num=2, topk=4)
    figure = draw_stacked_lists(queries, 'toy')
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    for query in queries:
        for name, ranked in query.lists.items():
            assert f'{name} (AP {query.scores[name]:.1f})' in texts
            words = ranked.query.caption.split()
            assert any(text.split() == words for text in texts)
            for rank, score in enumerate(ranked.scores, 1):
                assert any(
                    text.startswith(f'{rank} ') and f'{score:.3f}' in text
                    for text in texts
                )
    assert len(axes.images) == 2 * 2 * 4
    lines = {patch.get_linestyle() for patch in axes.patches}
    assert len(lines) >= 2  # also told apart in gray
    for suffix in ('png', 'pdf', 'svg'):
        assert save_figure(figure, tmp_path / f'a.{suffix}').stat().st_size > 1000


def test_a_long_caption_is_written_whole_and_stays_in_its_cell(models):
    words = ' '.join(f'short-sleeved{number}' for number in range(60))
    names = np.array([words] * 6)
    long = {
        name: FeatureSet(
            feats.query_feats,
            feats.gallery_feats,
            feats.query_pids,
            feats.gallery_pids,
            query_names=names,
            gallery_names=feats.gallery_names,
        )
        for name, feats in models.items()
    }
    figure = draw_stacked_lists(compare_lists(long, num=1, topk=3))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (caption,) = [
        text for text in axes.texts if text.get_text().split() == words.split()
    ]
    frame = axes.patches[0].get_window_extent()
    box = caption.get_window_extent()
    assert frame.x0 <= box.x0 < box.x1 <= frame.x1
    assert frame.y0 <= box.y0 < box.y1 <= frame.y1


def test_other_items_and_no_names_are_refused(models):
    good = models['good']
    other = FeatureSet(
        good.query_feats[:5],
        good.gallery_feats,
        good.query_pids[:5],
        good.gallery_pids,
        query_names=good.query_names[:5],
        gallery_names=good.gallery_names,
        same_camera='drop',
    )
    said = r'query_pids \(6 items and 5 items\).*same_camera \(keep and drop\)'
    with pytest.raises(OtherItemsError, match=said):
        compare_lists({'a': good, 'b': other})
    nameless = FeatureSet(
        models['bad'].query_feats,
        good.gallery_feats,
        good.query_pids,
        good.gallery_pids,
    )
    with pytest.raises(UnnamedItemsError, match='no query_names'):
        compare_lists({'a': nameless, 'b': nameless}, 'random')
    with pytest.raises(FigureError, match='no query to draw'):
        draw_stacked_lists([])
