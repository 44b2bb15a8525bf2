"""Videos in which somebody in red walks to the right, and what finds them."""

import cv2
import numpy as np

from hplreid.search.video import Detection

SHAPE, RATE, COUNT = (120, 200), 10, 40
SIZE = (20, 60)  # of the person, width and height


def place(number):
    """Left and top of the person in a frame; nobody is there at first."""
    return (5 + 4 * number, 30) if number >= 10 else None


def write_video(path, count=COUNT):
    """Write a video of ten frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter_fourcc(*'MJPG')
    video = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, RATE, SHAPE[::-1])
    for number in range(count):
        frame = np.full((*SHAPE, 3), 90, np.uint8)
        if (corner := place(number)) is not None:
            left, top = corner
            frame[top : top + SIZE[1], left : left + SIZE[0]] = (20, 20, 220)  # BGR
        video.write(frame)
    video.release()
    return path


class RedDetector:
    """Finds what is red: the real work on made-up videos."""

    def __init__(self, confidence=0.9, **settings):
        self.settings = dict(detector='red', **settings)
        self.confidence, self.frames = confidence, 0

    def detect(self, pixels):
        self.frames += 1
        red = pixels[..., 0].astype(int) - pixels[..., 1] > 80
        if not red.any():
            return []
        rows, cols = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        left, top = int(cols[0]), int(rows[0])
        box = (left, top, int(cols[-1]) - left + 1, int(rows[-1]) - top + 1)
        return [Detection(box, self.confidence)]
