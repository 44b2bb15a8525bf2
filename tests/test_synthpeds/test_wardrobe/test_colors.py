"""Color conversions, color words and shades."""

import numpy as np

from hplreid.synthpeds.wardrobe.colors import (
    COLOR_ANCHORS,
    draw_shade,
    lab_to_rgb,
    nearest_color_word,
    rgb_to_lab,
)


def test_lab_round_trip_and_known_values():
    rgb = np.random.default_rng(0).uniform(0, 255, (50, 3))
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-3)
    # Reference values of sRGB red and mid gray under D65.
    np.testing.assert_allclose(
        rgb_to_lab([255, 0, 0]), [53.24, 80.09, 67.20], atol=0.05
    )
    np.testing.assert_allclose(rgb_to_lab([119, 119, 119])[0], 50.03, atol=0.05)


def test_shades_keep_their_word():
    for word in COLOR_ANCHORS:
        rng = np.random.default_rng(5)
        shades = [draw_shade(rng, word) for _ in range(25)]
        assert {nearest_color_word(rgb) for rgb in shades} == {word}
        assert len({tuple(np.round(rgb)) for rgb in shades}) > 10, word
