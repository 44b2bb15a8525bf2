"""Difficulty settings are validated."""

from dataclasses import fields

import pytest

from hplreid.synthpeds import Difficulty


def test_every_setting_rejects_values_out_of_range():
    for setting in fields(Difficulty):
        for value in (-0.1, 3.1):
            with pytest.raises(ValueError, match=f'{setting.name} must be within'):
                Difficulty(**{setting.name: value})
