"""Visible parts of an image: body, garments, accessories, occluders."""

from enum import IntEnum


class Part(IntEnum):
    """Value of a pixel of a part map."""

    BACKGROUND = 0
    FACE = 1
    ARM = 2
    LEG = 3
    HAIR = 4
    HAT = 5
    GLASSES = 6
    UPPER = 7
    INNER = 8
    PRINT = 9
    LOWER = 10
    SHOES = 11
    BAG = 12
    STRAP = 13
    OCCLUDER = 14
