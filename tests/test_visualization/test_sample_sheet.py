"""The drawing of samples: true pixels, borders by identity, marked tokens."""

import numpy as np
import pytest
from PIL import Image

from hplreid.visualization import SheetSample, Token, draw_sample_sheet
from hplreid.visualization.sample_sheet import IDENTITIES, MARKS


def make_image(seed=0, size=(64, 128)):
    pixels = np.random.default_rng(seed).integers(256, size=(*size[::-1], 3))
    return Image.fromarray(pixels.astype(np.uint8))


def sample(image=None, tokens=None, identity=0):
    return SheetSample(image, tokens, ('label 1, id 2', 'x.jpg'), identity)


def place(drawing, color):
    """Left, top, right and bottom of what has a color."""
    rows, columns = np.nonzero((np.asarray(drawing) == color).all(-1))
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_pixels_are_shown_as_they_are():
    image = make_image()
    drawing = draw_sample_sheet([('part', [sample(image)])], ['title'])
    left, top, right, bottom = place(drawing, IDENTITIES[0])
    inside = np.asarray(drawing)[top + 4 : bottom - 3, left + 4 : right - 3]
    assert inside.shape == (256, 128, 3)  # each pixel is two by two
    assert np.array_equal(inside[::2, ::2], np.asarray(image))
    assert np.array_equal(inside[1::2, 1::2], np.asarray(image))


def test_borders_tell_identities_apart():
    image = Image.new('RGB', (64, 128), (1, 2, 3))
    samples = [sample(image, identity=i) for i in (7, 7, 'x 3', 5)]
    drawing = draw_sample_sheet([('a', samples), ('b', samples[2:3])], ['title'])
    found = np.asarray(drawing)
    edge = 256 * 4 * 2 + 136 * 4 * 2  # pixels of a border four wide
    for color, times in zip(IDENTITIES, (2, 2, 1, 0), strict=False):
        assert (found == color).all(-1).sum() == times * edge
    assert (found == (1, 2, 3)).all(-1).sum() == 5 * 256 * 128


def test_marked_tokens_have_their_color():
    plain = (Token('a '), Token('red '), Token('shir'), Token('t '))
    marked = (plain[0], Token('[mask] ', 'masked'), Token('zip ', 'exchanged'))

    def ink(tokens, mark):
        drawing = draw_sample_sheet([('part', [sample(None, tokens)])], ['title'])
        left, top, right, bottom = place(drawing, IDENTITIES[0])
        inside = np.asarray(drawing)[top:bottom, left:right]
        return (inside == MARKS[mark]).all(-1).sum()

    for mark in ('masked', 'exchanged'):
        assert ink(plain, mark) == 0
        assert ink(marked, mark) > 10


def test_long_captions_are_cut_and_stay_inside():
    def drawn(words):
        tokens = tuple(Token('trousers ') for _ in range(words))
        drawing = draw_sample_sheet([('p', [sample(make_image(), tokens)])], ['t'])
        return np.asarray(drawing)

    short, long, longer = drawn(20), drawn(70), drawn(77)
    assert short.shape == long.shape == longer.shape
    assert not np.array_equal(short, long)
    assert np.array_equal(long, longer)  # cut at one place


def test_page_grows_with_rows_and_keeps_its_width():
    samples = [sample(make_image(i)) for i in range(30)]
    one, three = (
        draw_sample_sheet([('part', samples[:n])], ['title ' * 99]) for n in (10, 30)
    )
    assert one.width == three.width < 1600
    assert three.height > 2.5 * one.height - 200


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='no sample to draw'):
        draw_sample_sheet([('part', [])], ['title'])
