"""Selecting images for the sheet of each camera."""

from collections.abc import Mapping, Sequence

import numpy as np

from .file_inspection import FileFacts
from .split_reader import Split

Sheet = dict[int, list[str]]
"""Identities of a camera, and the paths of some of their images."""


def choose_sheet_images(
    splits: Sequence[Split],
    facts: Mapping[str, FileFacts],
    num_ids: int = 6,
    num_images: int = 8,
) -> dict[int, Sheet]:
    """Choose identities spaced evenly over the sorted pids, and their first images.

    Args:
        splits: Splits of one dataset.
        facts: Facts about the image files; those with a fault are skipped.
        num_ids: Maximum number of identities for each camera.
        num_images: Maximum number of images for each of them.

    Returns:
        A sheet for each camera, from 0; -1 stands for unknown cameras.
    """
    by_camera: dict[int, Sheet] = {}
    for split in splits:
        for item in split.items:
            path = item['img_path']
            if path is None or facts[path].fault is not None:
                continue
            sheet = by_camera.setdefault(item['camid'], {})
            paths = sheet.setdefault(item['pid'], [])
            if path not in paths and len(paths) < num_images:
                paths.append(path)
    return {
        camera: {pid: sheet[pid] for pid in _space_evenly(sorted(sheet), num_ids)}
        for camera, sheet in sorted(by_camera.items())
    }


def _space_evenly(pids: Sequence[int], num: int) -> list[int]:
    positions = np.linspace(0, len(pids) - 1, min(num, len(pids))).round().astype(int)
    return [pids[position] for position in positions]
