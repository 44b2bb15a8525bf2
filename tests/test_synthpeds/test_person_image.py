"""One rendered image: position of the figure, dependence on the seed."""

import numpy as np

from hplreid.synthpeds import Difficulty
from hplreid.synthpeds.figure import Part
from hplreid.synthpeds.person_image import make_image


def test_figure_stands_upright_in_the_crop():
    difficulty = Difficulty(occlusion=0, framing=0)
    for identity_number in range(6):
        image = make_image(1, identity_number, 0, difficulty)
        rows = np.nonzero((image.parts > 0).any(1))[0]
        share = (rows[-1] - rows[0] + 1) / len(image.parts)
        assert 0.8 < share <= 1.0
        middle = {
            part: np.nonzero(image.parts == part)[0].mean()
            for part in (Part.UPPER, Part.SHOES)
            if (image.parts == part).any()
        }
        assert middle[Part.UPPER] < middle[Part.SHOES]


def test_images_depend_on_seed_and_numbers_alone():
    one = make_image(0, 17, 2, Difficulty())
    make_image(0, 3, 1, Difficulty())
    two = make_image(0, 17, 2, Difficulty())
    np.testing.assert_array_equal(one.pixels, two.pixels)
    other = make_image(1, 17, 2, Difficulty())
    assert (one.pixels != other.pixels).any()
