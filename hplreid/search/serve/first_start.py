"""The first start: a gallery of SynthPeds and a small model, in less than a minute."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from hplreid.apis import ReIDInferencer
from hplreid.evaluation import verification_report
from hplreid.synthpeds import PRESETS, SIZES
from hplreid.synthpeds.captions.caption import make_caption
from hplreid.synthpeds.person_image import ImageRequest, make_images
from hplreid.synthpeds.writing.layouts import MARKET, Shot, plan_shots
from hplreid.synthpeds.writing.render_workers import one_thread
from hplreid.utils.atomic_files import atomic_path, write_json

from ..calibration import Calibration
from ..gallery import Gallery
from ..indexing import index_images
from ..items import Item
from ..model_key import ModelKey
from ..stores import gallery_exists

FOLDER = Path('work_dirs/person_search')
TRAINED = Path('work_dirs/hpl_tiny_synthpeds/final.safetensors')
"""Where the default run leaves its model."""
PEOPLE, OTHERS = 60, 60
_GALLERY = f'{MARKET}/bounding_box_test/'
_NAME = re.compile(r'(-?\d+)_c(\d)s(\d)_(\d+)_')
_SEED, _CHUNK, _FPS = 0, 20, 25.0
_FARS = (1e-1, 1e-2, 1e-3)


class SynthPedsGallery(NamedTuple):
    """A gallery to try the page with.

    Attributes:
        gallery: Open, with its model and thresholds.
        title: What it is.
        model: What its model is.
    """

    gallery: Gallery
    title: str
    model: str


def make_synthpeds_gallery(
    folder: str | Path = FOLDER,
    trained: str | Path = TRAINED,
    people: int = PEOPLE,
    others: int = OTHERS,
) -> SynthPedsGallery:
    """Make a gallery of rendered people, or open the one that was made before.

    The images are those of the first test identities of the default SynthPeds, and of
    its first distractors; only they are rendered. Times are those of their frames at 25
    a second. Thresholds are measured on these images and their captions.

    Args:
        folder: Has images and gallery.
        trained: The model of the default run. Where it doesn't exist, the tiny CLIP
            that ships with the package is taken.
        people: Identities, of three images each.
        others: Images of other people.

    Raises:
        GalleryInUseError: Another process has it open.
        DatabaseError: The database isn't installed.

    Example:
        >>> gallery, title, _ = make_synthpeds_gallery('small', people=2, others=1)
        >>> gallery.count(), title
        (7, 'SynthPeds, 7 rendered images: nobody in them exists')
        >>> gallery.close()
    """
    folder = Path(folder)
    shots = _choose_shots(people, others)
    entries = _render(shots, folder)
    inferencer, model = _load_model(Path(trained))
    key = ModelKey.of(inferencer)
    url = folder / f'gallery-{key.weights[:8]}'  # a model has its own
    if gallery_exists(str(url)):
        gallery = Gallery.open(url, inferencer)
    else:
        gallery = Gallery.create(url, inferencer, root=folder / 'images')
    try:
        index_images(gallery, [_item(name, captions) for name, captions in entries])
        if any(gallery.calibration(task) is None for task in gallery.tasks):
            _calibrate(gallery, inferencer)
    except BaseException:
        gallery.close()
        raise
    inferencer.progress = False
    title = f'SynthPeds, {len(entries)} rendered images: nobody in them exists'
    return SynthPedsGallery(gallery, title, model)


def _choose_shots(people: int, others: int) -> list[Shot]:
    """Return gallery images of the first identities, and the first distractors."""
    named = [
        replace(shot, paths=(path.removeprefix(_GALLERY),))
        for shot in plan_shots(SIZES['default'], _SEED)
        for path in shot.paths
        if path.startswith(_GALLERY)
    ]
    of_people = [shot for shot in named if shot.split][: 3 * people]
    of_others = [shot for shot in named if shot.paths[0].startswith('0000_')]
    return of_people + of_others[:others]


def _render(shots: Sequence[Shot], folder: Path) -> list[tuple[str, list[str]]]:
    """Render what isn't there, and return names with captions."""
    known, images = folder / 'captions.json', folder / 'images'
    wanted = [shot.paths[0] for shot in shots]
    if known.is_file():  # written after all images
        entries = json.loads(known.read_text(encoding='utf-8'))['images']
        if [name for name, _ in entries] == wanted:
            return [(name, captions) for name, captions in entries]
    images.mkdir(parents=True, exist_ok=True)
    difficulty, entries = PRESETS['default'], []
    with (
        one_thread(),
        tqdm(total=len(shots), desc='Rendering people', unit='img') as bar,
    ):
        for start in range(0, len(shots), _CHUNK):
            some = shots[start : start + _CHUNK]
            requests = [ImageRequest(s.identity_number, s.image_index) for s in some]
            rendered = make_images(_SEED, requests, difficulty, SIZES['default'].shape)
            for shot, image in zip(some, rendered, strict=True):
                name, index = shot.paths[0], shot.image_index
                with atomic_path(images / name) as temporary:
                    Image.fromarray(image.pixels).save(
                        temporary, 'JPEG', quality=image.quality
                    )
                captions = [make_caption(image, _SEED, index, 0, difficulty).text]
                entries.append((name, captions if shot.split else []))
            bar.update(len(some))
    write_json(known, dict(images=entries))
    return entries


def _load_model(trained: Path) -> tuple[ReIDInferencer, str]:
    if trained.is_file():
        return ReIDInferencer(trained), f'HPL of the default run, {trained}'
    inferencer = ReIDInferencer('clip_tiny_synthpeds-t2i_sdm', 'pretrained')
    return inferencer, (
        'the tiny CLIP that ships with the package, trained on SynthPeds '
        f'(no {trained} was found)'
    )


def _item(name: str, captions: Sequence[str]) -> Item:
    pid, camera, sequence, frame = _match(name)
    meta: dict[str, Any] = dict(pid=pid, captions=list(captions))
    return Item(
        name,
        name,
        camera=f'camera {camera}',
        time=frame / _FPS,
        source=f'sequence {sequence}',
        meta=meta,
    )


def _match(name: str) -> tuple[int, int, int, int]:
    found = _NAME.match(name)
    assert found is not None, name
    pid, camera, sequence, frame = (int(group) for group in found.groups())
    return pid, camera, sequence, frame


def _calibrate(gallery: Gallery, inferencer: ReIDInferencer) -> None:
    """Measure thresholds on the gallery's own images, whose identities are known."""
    parts = list(gallery.scroll())
    items = [item for some, _ in parts for item in some]
    feats = {t: np.concatenate([f[t] for _, f in parts]) for t in gallery.tasks}
    # Each distractor is a person of their own
    pids = np.array([i.meta['pid'] or 100_000 + n for n, i in enumerate(items)])
    camids = np.array([_match(item.id)[1] for item in items])
    asked = [n for n, item in enumerate(items) if item.meta['captions']]
    for task in gallery.tasks:
        if task == 'i2i':
            query, cameras = feats['i2i'][asked], [camids[asked], camids]
        else:
            words = [items[n].meta['captions'][0] for n in asked]
            query, cameras = inferencer.embed_texts(words), []
        report = verification_report(
            query, feats[task], pids[asked], pids, *cameras, fars=_FARS
        )
        points = sorted(
            (float(far), float(threshold))
            for far, threshold in zip(report.fars, report.thresholds, strict=True)
            if np.isfinite(threshold)
        )
        gallery.calibrate(task, Calibration(tuple(points), 'these images'))
