"""What the images of a dataset on disk show: rendered again, images unchanged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .difficulty import Difficulty
from .figure.body_parts import Part
from .person_image import ImageRequest, PersonImage, make_images
from .sizes import SIZES
from .writing.layouts import plan_shots
from .writing.manifest import VERSION, read_manifest

# Mean absolute difference of 8-bit values between a rendering and its file. JPEG makes
# 4.9 at most in 1,500 images of the default dataset; two of these differ by 16 or more.
_SAME = 8.0


def render_part_maps(root: str | Path, paths: Sequence[str | Path]) -> list[np.ndarray]:
    """Return which part each pixel shows, of images that a dataset consists of.

    A manifest holds all that an image depends on: it is rendered again, with its map,
    and compared with the file.

    Args:
        root: Folder of the dataset, with its manifest.
        paths: Images in it, ``root/CUHK-PEDES/imgs/...`` say.

    Returns:
        For each path :class:`.Part` of each ray, ``(h, w)`` uint8, at one and a half
        times the image's resolution.

    Raises:
        FileNotFoundError: The folder has no manifest of SynthPeds.
        ValueError: It is of another version; a path is none of its images; or a file
            isn't the image that is rendered for it.

    Example:
        >>> from hplreid.synthpeds import make_synthpeds
        >>> _ = make_synthpeds('tiny', 'tiny', workers=1, progress=False)
        >>> image = 'tiny/Market-1501-v15.09.15/query/0001_c3s3_000034_01.jpg'
        >>> (parts,) = render_part_maps('tiny', [image])
        >>> parts.shape, bool((parts == Part.UPPER).any())
        ((96, 48), True)
    """
    return [image.parts for image in render_again(root, paths)]


def render_again(root: str | Path, paths: Sequence[str | Path]) -> list[PersonImage]:
    """Render images of a dataset again, with all that is known of what they show.

    Args:
        root: See :func:`render_part_maps`.
        paths: Images in it.

    Raises:
        FileNotFoundError: See :func:`render_part_maps`.
        ValueError: See there.

    Example:
        >>> from hplreid.synthpeds import make_synthpeds
        >>> _ = make_synthpeds('tiny', 'tiny', workers=1, progress=False)
        >>> path = 'tiny/Market-1501-v15.09.15/query/0001_c3s3_000034_01.jpg'
        >>> (image,) = render_again('tiny', [path])
        >>> image.view, image.occluder, image.hidden
        ('back', '', 0.0)
    """
    root = Path(root)
    manifest = read_manifest(root)
    if manifest is None:
        raise FileNotFoundError(
            f'{root} has no manifest of SynthPeds: part maps are known of its datasets '
            'alone.'
        )
    if manifest.get('version') != VERSION:
        raise ValueError(
            f'{root} is of version {manifest.get("version")} of SynthPeds; this one '
            f'renders version {VERSION}.'
        )
    size, seed = SIZES[manifest['size']], manifest['seed']
    shots = {path: shot for shot in plan_shots(size, seed) for path in shot.paths}
    requests = []
    for path in paths:
        inside = Path(os.path.relpath(path, root)).as_posix()
        if inside not in shots:
            raise ValueError(f'{path} is none of the images of {root}.')
        shot = shots[inside]
        requests.append(ImageRequest(shot.identity_number, shot.image_index, shot.junk))
    difficulty = Difficulty(**manifest['difficulty'])
    images = make_images(seed, requests, difficulty, size.shape)
    for path, image in zip(paths, images, strict=True):
        with Image.open(path) as stored:
            pixels = np.asarray(stored.convert('RGB'), dtype=float)
        difference = np.abs(pixels - image.pixels).mean()
        if pixels.shape != image.pixels.shape or difference > _SAME:
            raise ValueError(
                f'{path} is not the image that SynthPeds renders for it: it has been '
                'changed, so that its part map is unknown.'
            )
    return images


def person_mask(parts: np.ndarray) -> np.ndarray:
    """Return where a part map shows the person, with clothes and bags, ``(h, w)`` bool.

    Example:
        >>> person_mask(np.array([[Part.BACKGROUND, Part.SHOES, Part.OCCLUDER]]))
        array([[False,  True, False]])
    """
    return (parts != Part.BACKGROUND) & (parts != Part.OCCLUDER)
