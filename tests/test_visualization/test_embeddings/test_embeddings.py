"""Maps of features: who is on them, where, and what the page holds."""

import base64
import io
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image

from hplreid.evaluation import FeatureSet
from hplreid.visualization import (
    FigureError,
    choose_items,
    draw_embedding,
    measure_gap,
    project,
    write_embedding_page,
)
from hplreid.visualization.embeddings.projection import MissingPackageError


@pytest.fixture
def features(tmp_path):
    """Captions and images of six people, distractors and junk."""
    rng = np.random.default_rng(0)
    pids = np.arange(24) % 6 + 1
    gallery = np.concatenate([pids, [0, -1]])
    centers = 3 * rng.normal(size=(8, 12))
    paths = []
    for number in range(26):
        paths.append(str(tmp_path / f'{number}.png'))
        Image.new('RGB', (64, 128), (9 * number, 2, 250)).save(paths[-1])
    return FeatureSet(
        centers[pids] + rng.normal(size=(24, 12)) + 1,
        centers[gallery] + rng.normal(size=(26, 12)),
        pids,
        gallery,
        query_camids=np.full(24, -1),
        gallery_camids=rng.integers(3, size=26),
        query_names=np.array([f'a </script> {n} coat' for n in range(24)]),
        gallery_names=np.array(paths),
    )


def test_items_are_those_of_the_chosen_people(features):
    items = choose_items(features, 4, seed=1)
    assert len(set(items.pids.tolist())) == 4
    assert len(items.pids) == 4 * 8
    assert np.linalg.norm(items.feats, axis=1) == pytest.approx(np.ones(32))
    assert items.captions.sum() == 16
    every = choose_items(features, None)
    assert set(every.pids.tolist()) == {1, 2, 3, 4, 5, 6}  # no junk, no distractor
    assert choose_items(features, 4, 1).pids.tolist() == items.pids.tolist()
    assert set(items.groups('modality')) == {'image', 'caption'}
    assert 'no camera' in items.groups('camera')


def test_one_identity_is_no_map(features):
    one = np.ones(24, int)
    alone = FeatureSet(features.query_feats, features.query_feats, one, one)
    with pytest.raises(FigureError, match='1 identity has .* needs two at least'):
        choose_items(alone)


def test_what_cannot_be_colored_is_said(features):
    items = choose_items(features)
    with pytest.raises(FigureError, match="'size': expected one of identity, camera"):
        items.groups('size')
    images = FeatureSet(
        features.gallery_feats,
        features.gallery_feats,
        features.gallery_pids,
        features.gallery_pids,
        query_names=features.gallery_names,
        gallery_names=features.gallery_names,
    )
    with pytest.raises(FigureError, match='All 50 items are of image'):
        choose_items(images).groups('modality')


def test_pca_is_that_of_the_singular_vectors(features):
    feats = choose_items(features).feats
    places, words = project(feats, 'pca')
    centered = feats - feats.mean(axis=0)
    left, values, _ = np.linalg.svd(centered, full_matrices=False)
    expected = left[:, :2] * values[:2]
    signs = np.sign((places * expected).sum(axis=0))
    np.testing.assert_allclose(places, signs * expected, atol=1e-10)
    share = 100 * (values[:2] ** 2).sum() / (values**2).sum()
    assert words == f'PCA, {share:.1f} % of the variance'


@pytest.mark.parametrize('method', ['tsne', 'umap'])
def test_neighbors_stay_neighbors(features, method):
    if method == 'umap':
        pytest.importorskip('umap')
    items = choose_items(features)
    images = ~items.captions
    feats, pids = items.feats[images], items.pids[images]
    places, words = project(feats, method, seed=3, perplexity=5)
    assert 'seed 3' in words
    np.testing.assert_array_equal(places, project(feats, method, 3, 5)[0])
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (pids[distances.argmin(axis=1)] == pids).mean() > 0.8


def test_wrong_projections_are_said(monkeypatch):
    with pytest.raises(FigureError, match="'mds': expected one of pca, tsne, umap"):
        project(np.eye(8), 'mds')
    with pytest.raises(FigureError, match='four items at least; got 3'):
        project(np.eye(3))
    monkeypatch.setitem(sys.modules, 'umap', None)
    monkeypatch.setitem(sys.modules, 'sklearn.decomposition', None)
    with pytest.raises(MissingPackageError, match=r'hplreid\[umap\]'):
        project(np.eye(8), 'umap')
    with pytest.raises(MissingPackageError, match=r'hplreid\[embeddings\]'):
        project(np.eye(8), 'pca')


def test_the_gap_is_that_of_loops():
    rng = np.random.default_rng(2)
    images, captions = rng.normal(size=(9, 5)), rng.normal(size=(7, 5)) + 1
    pids, words = np.arange(9) % 3, np.arange(7) % 3
    gap = measure_gap(images, captions, pids, words)
    unit = [v / np.sqrt(v @ v) for v in images]
    said = [v / np.sqrt(v @ v) for v in captions]
    middle = sum(unit) / 9 - sum(said) / 7
    assert gap.distance == pytest.approx(np.sqrt(middle @ middle), abs=1e-12)
    own = [said[i] @ unit[j] for i in range(7) for j in range(9) if words[i] == pids[j]]
    other = [
        said[i] @ unit[j] for i in range(7) for j in range(9) if words[i] != pids[j]
    ]
    same = [unit[i] @ unit[j] for i in range(9) for j in range(9) if i != j]
    assert gap.own_image == pytest.approx(np.mean(own), abs=1e-12)
    assert gap.other_image == pytest.approx(np.mean(other), abs=1e-12)
    assert gap.same_modality == pytest.approx(np.mean(same), abs=1e-12)
    with pytest.raises(FigureError, match='needs both; got 9 images and 0 captions'):
        measure_gap(images, captions[:0], pids, words[:0])


def test_a_figure_tells_people_and_modalities_apart(features):
    items = choose_items(features)
    places = np.random.default_rng(0).normal(size=(len(items.pids), 2))
    figure = draw_embedding(items, places, 'identity', 'toy')
    (panel,) = figure.axes
    assert len(panel.collections) == 12  # six people, images and captions
    assert sum(len(c.get_offsets()) for c in panel.collections) == len(items.pids)
    hollow = [c for c in panel.collections if not len(c.get_facecolors())]
    assert len(hollow) == 6
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [f'id {pid}' for pid in range(1, 7)]
    with pytest.raises(FigureError, match=r'must be \(48, 2\).*got \(3, 2\)'):
        draw_embedding(items, np.zeros((3, 2)))


def test_the_page_holds_every_item_with_its_thumbnail(features, tmp_path):
    items = choose_items(features, 3)
    places = np.random.default_rng(0).normal(size=(len(items.pids), 2))
    page = write_embedding_page(items, places, tmp_path / 'map.html', 'A & B')
    text = page.read_text()
    assert '<title>A &amp; B</title>' in text
    assert text.count('</script>') == 1  # of the page, not of a caption
    points = json.loads(re.search(r'const points = (\[.*?\]), colors', text)[1])
    assert len(points) == 24
    assert {p['text'] for p in points if p['caption']} == set(
        items.names[items.captions].tolist()
    )
    for point, name in zip(points, items.names.tolist(), strict=True):
        if point['caption']:
            continue
        kind, data = point['image'].split(',')
        assert kind == 'data:image/jpeg;base64'
        with (
            Image.open(io.BytesIO(base64.b64decode(data))) as thumbnail,
            Image.open(name) as image,
        ):
            assert thumbnail.size == (64, 128)
            shown, own = (i.convert('RGB').getpixel((9, 9)) for i in (thumbnail, image))
            assert max(abs(a - b) for a, b in zip(shown, own, strict=True)) < 12
    assert all(0 <= point[axis] <= 1 for point in points for axis in 'xy')
