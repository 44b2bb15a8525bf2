"""Attributes are consistent, and clusters share them."""

from hplreid.synthpeds.wardrobe import make_attributes


def test_attributes_are_consistent():
    for identity_number in range(400):
        attributes = make_attributes(0, identity_number, 0.5)
        assert not attributes.inner or attributes.upper in ('jacket', 'coat')
        assert (attributes.lower == 'none') == (attributes.upper == 'dress')
        if attributes.lower == 'jeans':
            assert attributes.lower_color in ('blue', 'navy', 'light blue', 'black')
