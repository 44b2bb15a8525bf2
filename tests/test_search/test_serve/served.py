"""A gallery with hostile names, and the page that searches it, in its own process."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from hplreid.apis import ReIDInferencer
from hplreid.search import Calibration, Gallery, Item, index_images
from tests.helpers import write_image

ROOT = Path(__file__).resolve().parents[3]
MODEL = ('clip_tiny_synthpeds-t2i_sdm', 'pretrained')
MARKUP = '<img src=x onerror=alert(1)>'
COUNT = 12


def make_gallery(folder):
    """Make a gallery of 12 images; beside it are files that are nobody's business."""
    images = folder / 'images'
    items = []
    for n in range(COUNT):
        name = f'{n:02d}.jpg'
        write_image(images / name, f'person {n // 2}', (64, 128))
        camera = MARKUP if n == 0 else f'camera {n % 3}'
        id_ = f'{MARKUP}.jpg' if n == 0 else name
        item = Item(id_, name, camera=camera, time=60.0 * n, source=f'video {n % 2}')
        items.append(item)
    write_image(images / 'unlisted.jpg', 'person 7')
    write_image(folder / 'secret.jpg', 'person 8')
    os.symlink(folder / 'secret.jpg', images / 'link.jpg')
    inferencer = ReIDInferencer(*MODEL, progress=False)
    with Gallery.create(folder / 'gallery', inferencer, root=images) as gallery:
        index_images(gallery, items)
        _, features = next(iter(gallery.scroll()))
        link = {task: rows[:1] for task, rows in features.items()}
        gallery.add([Item('link', 'link.jpg', camera='camera 9')], link)
        points = ((1e-3, 0.9), (1e-1, 0.2))
        for task in gallery.tasks:
            gallery.calibrate(task, Calibration(points, 'thresholds.json'))
    return folder / 'gallery'


@contextmanager
def serve(*arguments, cwd=ROOT):
    """Serve a page; yield its address."""
    command = [sys.executable, '-m', 'hplreid.search.serve', *map(str, arguments)]
    # NiceGUI serves otherwise in a process that looks like a test
    env = {k: v for k, v in os.environ.items() if not k.startswith('PYTEST')}
    process = subprocess.Popen(
        [*command, '--port', '0'],
        cwd=cwd,
        env={**env, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r'Open (http://\S+) in a browser', line):
                yield found[1]
                break
        else:
            raise AssertionError(''.join(said))
    finally:
        process.terminate()
        process.communicate(timeout=30)
