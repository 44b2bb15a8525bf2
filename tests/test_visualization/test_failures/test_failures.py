"""Figures of failures: what stands in them, and the page that joins them."""

import re

import numpy as np
import pytest
from PIL import Image

from hplreid.evaluation import FeatureSet, verification_report
from hplreid.evaluation.files import UnnamedItemsError
from hplreid.evaluation.inspection import (
    AttributeScores,
    Curve,
    GroupError,
    GroupScore,
    find_confusions,
    suspect_items,
    suspect_pairs,
)
from hplreid.visualization import (
    FigureError,
    draw_attribute,
    draw_camera_pairs,
    draw_confusions,
    draw_groups,
    draw_item_suspects,
    draw_pair_suspects,
    draw_score_curves,
    draw_score_histogram,
    draw_worst_queries,
    write_failure_report,
)


@pytest.fixture
def features(tmp_path):
    """Images of ten people under three cameras; the last two people are one."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(10, 12))
    centers[9] = centers[8]

    def side(name, size):
        pids = np.arange(size) % 10 + 1
        feats = centers[pids - 1] + 0.6 * rng.normal(size=(size, 12))
        paths = [str(tmp_path / f'{name}{n}.png') for n in range(size)]
        for path, pid in zip(paths, pids, strict=True):
            Image.new('RGB', (20, 40), (20 * int(pid), 2, 250)).save(path)
        return feats, pids, rng.integers(3, size=size), np.array(paths)

    q, g = side('q', 30), side('g', 60)
    return FeatureSet(
        *(q[0], g[0], q[1], g[1], q[2], g[2], q[3], g[3]),
        distance='cosine',
        same_camera='drop',
    )


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_worst_queries_come_with_what_is_found(features):
    figure = draw_worst_queries(features, num=2, topk=5, name='ours')
    assert sum(text.startswith('ours (AP ') for text in texts(figure)) == 2
    assert len(figure.axes[0].images) == 2 * 6


def test_confusions_name_both_identities(features):
    confusions = find_confusions(features)
    figure = draw_confusions(features, confusions, num=2)
    assert len(figure.axes[0].images) == 2 * 3
    for confusion in confusions[:2]:
        said = f'of id {confusion.pid}: id {confusion.other} is nearer'
        assert any(said in text for text in texts(figure))
    with pytest.raises(FigureError, match='No query is nearer'):
        draw_confusions(features, [])


def test_one_person_with_two_identities_is_suspected(features):
    feats, pids = features.gallery_feats, features.gallery_pids
    suspects = suspect_pairs(feats, pids)
    assert suspects[0].pids == (9, 10)
    items = [
        type('Item', (), dict(img_path=path, caption=None, pid=pid, camid=0))()
        for path, pid in zip(features.gallery_names.tolist(), pids, strict=True)
    ]
    figure = draw_pair_suspects(items, suspects, num=1)
    assert texts(figure)[0].startswith('ids 9 and 10: ')
    odd = suspect_items(feats, pids)
    figure = draw_item_suspects(items, odd, num=1)
    assert texts(figure)[0].startswith(f'id {odd[0].pid}, or {odd[0].other}?')
    for draw in (draw_pair_suspects, draw_item_suspects):
        with pytest.raises(FigureError):
            draw(items, [])


def test_cameras_and_groups_show_their_numbers():
    nan = float('nan')
    figure = draw_camera_pairs(
        np.array([0, 1]),
        np.array([2]),
        np.array([[52.18], [nan]]),
        np.array([[40], [0]]),
    )
    assert texts(figure) == ['52.2\n(40)', '-']
    with pytest.raises(FigureError, match='No pair of cameras'):
        draw_camera_pairs(
            np.array([0]), np.array([0]), np.array([[nan]]), np.array([[0]])
        )
    groups = [
        GroupScore('6 words', 50.0, 40.0, 62.0, 12),
        GroupScore('9', 5, nan, nan, 1),
    ]
    (panel,) = draw_groups(groups, 'length').axes
    (bars,) = panel.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends[0] == [40.0, 62.0]
    with pytest.raises(FigureError, match='no group'):
        draw_groups([], 'length')


def test_curves_have_a_band_and_a_name_each():
    points, mean = np.array([1, 2]), np.array([50.0, 75.0])
    curves = {
        name: Curve(points, mean + shift, mean + shift - 5, mean + shift + 5)
        for name, shift in (('a', 0), ('b', 10))
    }
    figure = draw_score_curves(curves, curves)
    for panel in figure.axes:
        assert [line.get_ydata()[0] for line in panel.lines] == [50, 60]
        assert len({line.get_linestyle() for line in panel.lines}) == 2
        low = [band.get_paths()[0].vertices[:, 1].min() for band in panel.collections]
        assert low == [45, 55]
    assert len(draw_score_curves(curves).axes) == 1
    with pytest.raises(FigureError, match='no curve'):
        draw_score_curves({})


def test_thresholds_stand_in_the_histogram(features):
    report = verification_report(
        features.query_feats,
        features.gallery_feats,
        features.query_pids,
        features.gallery_pids,
        fars=[0.1, 0.01],
    )
    (panel,) = draw_score_histogram(report).axes
    lines = {line.get_label(): line.get_xdata()[0] for line in panel.lines}
    assert lines[f'EER {report.eer:.2f} %'] == report.eer_threshold
    for far, tar, threshold in zip(
        report.fars, report.tars, report.thresholds, strict=True
    ):
        assert lines[f'FAR {far:g}: TAR {tar:.1f} %'] == threshold


def test_the_page_shows_every_figure_that_it_wrote(features, tmp_path):
    page = write_failure_report(features, tmp_path / 'report', 'ours', num=2, topk=4)
    text = page.read_text()
    written = {path.name for path in page.parent.iterdir()} - {'report.md'}
    shown = {line.split('(')[1][:-1] for line in text.splitlines() if '![' in line}
    assert shown == written
    assert {'worst_queries.png', 'cameras.png', 'suspect_pairs.png'} <= written
    assert 'captions.png' not in written
    assert '| 0.01 |' in text


def test_a_page_about_captions(features, tmp_path):
    words = [f'{"very " * (n % 4)}red coat {n}' for n in range(30)]
    captions = FeatureSet(
        features.query_feats,
        features.gallery_feats,
        features.query_pids,
        features.gallery_pids,
        query_names=np.array(words),
        gallery_names=features.gallery_names,
        same_camera='keep',
    )
    page = write_failure_report(captions, tmp_path / 'report', num=1, suffix='.svg')
    written = {path.name for path in page.parent.iterdir()}
    assert {'captions.svg', 'suspect_pairs.svg'} <= written
    assert 'cameras.svg' not in written


def test_features_without_names_are_refused(features, tmp_path):
    nameless = FeatureSet(
        features.query_feats,
        features.gallery_feats,
        features.query_pids,
        features.gallery_pids,
    )
    with pytest.raises(UnnamedItemsError):
        write_failure_report(nameless, tmp_path)


def test_a_page_has_scores_by_each_attribute(features, tmp_path):
    size = len(features.query_pids)
    attributes = {
        'hidden by': ['pole' if n % 3 else 'none' for n in range(size)],
        'blur': [str(n / 7) for n in range(size)],
    }
    page = write_failure_report(
        features, tmp_path / 'report', num=1, topk=2, attributes=attributes
    )
    text = page.read_text()
    assert '## Scores by hidden by\n\n![Scores by hidden by](by_hidden_by.png)' in text
    assert (page.parent / 'by_hidden_by.png').is_file()
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith(('| none', '| pole'))]
    assert [row.split(' | ')[:2] for row in rows] == [
        ['| none', '10'],
        ['| pole', '20'],
    ]
    # 30 queries in four groups, named by six digits
    counts = re.findall(r'^\| [\d.]+ to [\d.]+ \| (\d+) \|', text, re.MULTILINE)
    assert counts == ['8', '7', '8', '7']
    attributes['path'] = [f'{n}.jpg' for n in range(size)]
    with pytest.raises(GroupError, match="'path' has 30 different values"):
        write_failure_report(features, tmp_path / 'no', attributes=attributes)


def test_an_attribute_is_drawn_by_both_scores():
    nan = float('nan')
    ap = [GroupScore('0 %', 50.0, 40.0, 62.0, 12), GroupScore('all', 5.0, nan, nan, 1)]
    hits = [
        GroupScore('0 %', 70.0, 60.0, 75.0, 12),
        GroupScore('all', 0.0, nan, nan, 1),
    ]
    figure = draw_attribute(AttributeScores('hidden', ap, hits), 45.0, 65.0)
    first, second = figure.axes
    for panel, (low, high), overall in (
        (first, (40.0, 62.0), 45.0),
        (second, (60.0, 75.0), 65.0),
    ):
        (bars,) = panel.collections
        assert bars.get_segments()[0][:, 1].tolist() == [low, high]
        assert overall in [line.get_ydata()[0] for line in panel.lines]
        assert panel.get_xlabel() == 'hidden'
    with pytest.raises(FigureError, match='no group'):
        draw_attribute(AttributeScores('hidden', [], []), 0, 0)
