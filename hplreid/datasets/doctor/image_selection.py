"""Which images stand for a camera."""

from collections.abc import Mapping, Sequence

import numpy as np

from .file_inspection import FileFacts
from .split_reader import Split

Sheet = dict[int, list[str]]
"""Some people of a camera, and paths of some of their images."""


def choose_sheet_images(
    splits: Sequence[Split],
    facts: Mapping[str, FileFacts],
    num_ids: int = 6,
    num_images: int = 8,
) -> dict[int, Sheet]:
    """Choose people, evenly spread over their numbers, and the first of their images.

    Args:
        splits: Splits of one dataset.
        facts: What is known of files; those with a fault aren't chosen.
        num_ids: People for each camera, at most.
        num_images: Images of each of them, at most.

    Returns:
        A sheet for each camera, from 0; -1 is that of unknown cameras.
    """
    by_camera: dict[int, Sheet] = {}
    for split in splits:
        for item in split.items:
            path = item['img_path']
            if path is None or facts[path].fault is not None:
                continue
            people = by_camera.setdefault(item['camid'], {})
            paths = people.setdefault(item['pid'], [])
            if path not in paths and len(paths) < num_images:
                paths.append(path)
    return {
        camera: {pid: people[pid] for pid in _spread(sorted(people), num_ids)}
        for camera, people in sorted(by_camera.items())
    }


def _spread(pids: Sequence[int], num: int) -> list[int]:
    places = np.linspace(0, len(pids) - 1, min(num, len(pids))).round().astype(int)
    return [pids[place] for place in places]
