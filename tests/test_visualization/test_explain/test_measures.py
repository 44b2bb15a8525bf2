"""Deletion, insertion and pointing, against loops; drawings of maps."""

import numpy as np
import pytest
import torch

from hplreid.visualization import FigureError, save_figure
from hplreid.visualization.explain import (
    MapPanel,
    PerturbationCurves,
    draw_caption,
    draw_maps,
    draw_perturbations,
    draw_words,
    perturb_images,
    point,
)
from hplreid.visualization.explain.drawing import half_mask
from hplreid.visualization.explain.faithfulness import blur


def mean_of(images):
    return images.double().mean(dim=(1, 2, 3))


@pytest.mark.parametrize('mode', ['deletion', 'insertion'])
def test_curves_are_those_of_loops(mode):
    images, maps = torch.randn(2, 3, 8, 4), torch.rand(2, 4, 2)
    maps[1, 2] = maps[1, 0]  # equal ones, in reading order
    curves = perturb_images(mean_of, images, maps, mode, steps=8)
    blurred = blur(images)
    for b in range(2):
        flat = [float(x) for x in maps[b].flatten()]
        order = sorted(range(8), key=lambda i: (-flat[i], i))
        image = (images if mode == 'deletion' else blurred)[b].clone()
        expected = [float(mean_of(image[None]))]
        for patch in order:
            y, x = 2 * (patch // 2), 2 * (patch % 2)
            source = images[b] if mode == 'insertion' else torch.zeros(3, 8, 4)
            image[:, y : y + 2, x : x + 2] = source[:, y : y + 2, x : x + 2]
            expected.append(float(mean_of(image[None])))
        np.testing.assert_allclose(curves.scores[b], expected, rtol=0, atol=1e-12)
        area = sum(
            (a + c) / 2 / 8 for a, c in zip(expected, expected[1:], strict=False)
        )
        assert float(curves.areas()[b]) == pytest.approx(area)
    assert curves.shares.tolist() == [i / 8 for i in range(9)]


def test_steps_are_at_most_the_patches():
    images, maps = torch.randn(1, 3, 6, 4), torch.rand(1, 3, 2)
    assert len(perturb_images(mean_of, images, maps, steps=50).shares) == 7
    four = perturb_images(mean_of, images, maps, steps=4).shares
    np.testing.assert_allclose(6 * four, [0, 2, 3, 4, 6])
    with pytest.raises(ValueError, match="mode='fade'"):
        perturb_images(mean_of, images, maps, 'fade')
    with pytest.raises(ValueError, match='steps=0'):
        perturb_images(mean_of, images, maps, steps=0)


def test_relative_curves_begin_or_end_at_one():
    curves = PerturbationCurves(torch.tensor([0.0, 1.0]), torch.tensor([[4.0, 1.0]]))
    assert curves.relative('deletion').scores.tolist() == [[1.0, 0.25]]
    assert curves.relative('insertion').scores.tolist() == [[4.0, 1.0]]


def test_blurring_keeps_what_is_even():
    even = torch.full((1, 3, 16, 8), 0.7)
    torch.testing.assert_close(blur(even), even)


def test_pointing_is_that_of_loops():
    maps, masks = torch.rand(3, 4, 2), torch.rand(3, 24, 8) > 0.7
    maps /= maps.sum(dim=(1, 2), keepdim=True)
    masks[2] = False
    masks[2, 0, 0] = True
    found = point(maps, masks)
    for b in range(3):
        share, best, hit = 0.0, -1.0, False
        for y in range(4):
            for x in range(2):
                cell = masks[b, 6 * y : 6 * y + 6, 4 * x : 4 * x + 4]
                share += float(maps[b, y, x]) * int(cell.sum()) / 24
                if float(maps[b, y, x]) > best:
                    best, hit = float(maps[b, y, x]), bool(cell.any())
        assert float(found.shares[b]) == pytest.approx(share, abs=1e-6)
        assert bool(found.hits[b]) == hit
        assert float(found.area[b]) == pytest.approx(int(masks[b].sum()) / 192)


def test_half_of_the_relevance_is_outlined():
    maps = np.array([[0.1, 0.3], [0.2, 0.4]])
    assert half_mask(maps).tolist() == [[False, True], [False, True]]
    assert half_mask(np.full((2, 2), 0.25)).sum() == 2
    assert half_mask(np.array([[1.0, 0.0]])).tolist() == [[True, False]]


IMAGE = np.full((16, 8, 3), 120, np.uint8)
EVEN = torch.full((4, 2), 0.125)


def test_figures_are_written_as_pixels_and_vectors(tmp_path):
    words = [('a', 0.05), ('red', 0.55), ('shirt', 0.4)]
    curves = PerturbationCurves(torch.linspace(0, 1, 3), torch.rand(2, 3))
    figures = dict(
        maps=draw_maps([[MapPanel(IMAGE), MapPanel(IMAGE, EVEN.numpy(), 'v')]]),
        words=draw_words(words * 12, title='words'),
        caption=draw_caption(IMAGE, EVEN, words, {'red': EVEN, 'shirt': EVEN}, 'toy'),
        curves=draw_perturbations({'deletion': {'gradient': curves, 'random': curves}}),
    )
    for name, figure in figures.items():
        for suffix in ('png', 'pdf', 'svg'):
            path = save_figure(figure, tmp_path / f'{name}.{suffix}')
            assert path.stat().st_size > 1000
    assert '>shirt<' in (tmp_path / 'caption.svg').read_text()  # text stays text


def test_more_relevant_words_are_darker():
    from matplotlib.colors import to_rgb

    figure = draw_words([('a', 0.0), ('red', 0.5), ('shirt', 1.0)])
    texts = figure.findobj(lambda x: hasattr(x, 'get_bbox_patch'))
    boxes = {t.get_text(): t.get_bbox_patch() for t in texts if t.get_bbox_patch()}
    light = [sum(to_rgb(boxes[w].get_facecolor())) for w in ('a', 'red', 'shirt')]
    assert light[0] > light[1] > light[2]


def test_nothing_to_draw_is_said():
    for draw in (draw_maps, draw_words):
        with pytest.raises(FigureError, match='There is no'):
            draw([])
    with pytest.raises(FigureError, match='There is no curve'):
        draw_perturbations({'deletion': {}})
    with pytest.raises(FigureError, match='There is no word'):
        draw_caption(IMAGE, EVEN, [], {})
