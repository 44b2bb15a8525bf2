"""Cameras: viewpoints, ray tracing, light, backdrops, occluders and image degradation.

The three-dimensional figure that a camera sees lives in ``figure``; ``person_image``
combines both into an image.
"""

from .backdrop import render_backdrop
from .camera import CAMERAS, Camera, View, look_at_person
from .degradation import record_image
from .rendering import Light, Subject, render_people

__all__ = [
    'CAMERAS',
    'Camera',
    'Light',
    'Subject',
    'View',
    'look_at_person',
    'record_image',
    'render_backdrop',
    'render_people',
]
