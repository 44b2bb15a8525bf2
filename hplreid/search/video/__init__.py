"""People in video: frames at a steady pace, a detector, and images cut out of frames.

``frames.py`` reads, ``detector.py`` finds, ``record.py`` keeps what is done, so that a
killed run goes on, and ``people.py`` joins them. Encoding people isn't done here.
"""

from .detector import DETECTOR, DETECTORS, Detection, PersonDetector
from .people import cut_people

__all__ = ['DETECTOR', 'DETECTORS', 'Detection', 'PersonDetector', 'cut_people']
