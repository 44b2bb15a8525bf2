"""Identities: colors match their words, clusters differ in what words leave open."""

import numpy as np

from hplreid.synthpeds import Difficulty
from hplreid.synthpeds.wardrobe import (
    make_attributes,
    make_identity,
    nearest_color_word,
)
from hplreid.synthpeds.wardrobe.colors import linear_to_srgb


def test_colors_match_their_words():
    for identity_number in range(40):
        person = make_identity(7, identity_number, Difficulty())
        attributes = person.attributes
        pairs = {'upper': attributes.upper_color, 'lower': attributes.lower_color}
        pairs |= {'bag': attributes.bag_color, 'shoes': attributes.shoe_color}
        for slot, word in pairs.items():
            assert nearest_color_word(linear_to_srgb(person.rgb[slot]) * 255) == word


def test_crowding_shares_attributes_but_not_appearance():
    same = [make_attributes(0, n, 1.0) for n in range(4)]
    assert len(set(same)) == 1
    shades = {
        tuple(make_identity(0, n, Difficulty(1.0)).rgb['upper']) for n in range(4)
    }
    heights = {make_identity(0, n, Difficulty(1.0)).build.height for n in range(4)}
    assert len(shades) == len(heights) == 4
    groups = [
        len({make_attributes(0, 4 * c + n, 0.0) for n in range(4)}) for c in range(20)
    ]
    assert np.mean(groups) > 3.5
