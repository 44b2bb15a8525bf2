"""Functions that write tiny datasets in the layouts of Market-1501 and CUHK-PEDES."""

import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

COLORS = {
    'red': (200, 30, 30),
    'green': (30, 160, 40),
    'blue': (30, 50, 200),
    'gray': (120, 120, 120),
    'yellow': (220, 210, 40),
    'black': (20, 20, 20),
}


def write_image(path: Path, key: str, size: tuple[int, int] = (32, 64)) -> None:
    """Write a small JPEG with a shirt and trousers whose colors depend on ``key``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shirt, trousers = _colors(key)
    image = Image.new('RGB', size, COLORS[shirt])
    half = Image.new('RGB', (size[0], size[1] // 2), COLORS[trousers])
    image.paste(half, (0, size[1] // 2))
    # A pixel that differs between the files of one identity
    image.putpixel((0, 0), tuple(zlib.crc32(path.name.encode()).to_bytes(4, 'big')[:3]))
    image.save(path, quality=95)


def make_market(
    root: str | Path,
    num_ids: int = 4,
    images_per_id: int = 4,
    num_test_ids: int = 2,
    num_cameras: int = 2,
    num_distractors: int = 1,
    num_junk: int = 1,
    first_pid: int = 1,
) -> Path:
    """Write a Market-1501 tree and return its folder.

    Training identities are numbered from ``first_pid``, test identities follow.
    Each training identity has ``images_per_id`` images, by alternating cameras.
    Each test identity has one query and one gallery image for every camera.
    """
    root = Path(root)
    for pid in range(first_pid, first_pid + num_ids):
        for i in range(images_per_id):
            name = market_name(pid, i % num_cameras + 1, i)
            write_image(root / 'bounding_box_train' / name, f'person {pid}')
    first_test = first_pid + num_ids
    for pid in range(first_test, first_test + num_test_ids):
        for camera in range(1, num_cameras + 1):
            for folder, frame in (('query', 0), ('bounding_box_test', 1)):
                name = market_name(pid, camera, frame)
                write_image(root / folder / name, f'person {pid}')
    for count, pid in ((num_distractors, 0), (num_junk, -1)):
        for frame in range(count):
            name = market_name(pid, 1, frame)
            write_image(root / 'bounding_box_test' / name, f'other {frame}')
    return root


def market_name(pid: int, camera: int, frame: int) -> str:
    """Return a file name such as ``0002_c1s1_000451_00.jpg``."""
    return f'{pid if pid < 0 else f"{pid:04d}"}_c{camera}s1_{frame:06d}_00.jpg'


def make_cuhk_pedes(
    root: str | Path,
    num_ids: int = 4,
    images_per_id: int = 2,
    captions_per_image: int = 2,
    num_val_ids: int = 1,
    num_test_ids: int = 2,
    market: dict[int, int] | None = None,
    market_files: Sequence[Path] = (),
) -> Path:
    """Write a CUHK-PEDES tree and return its folder.

    Identities are numbered from 1: first those of training, then val, then test.

    Args:
        root: The folder.
        num_ids: Training identities.
        images_per_id: Images of each identity.
        captions_per_image: Captions of each image.
        num_val_ids: Validation identities.
        num_test_ids: Test identities.
        market: Market-1501 pid of the identities whose images are in ``Market/``.
        market_files: Images of Market-1501 that are copied to ``Market/``; each
            replaces the first generated image of its identity.
    """
    root = Path(root)
    market = market or {}
    copies = {int(path.name[:4]): path for path in market_files}
    splits = ['train'] * num_ids + ['val'] * num_val_ids + ['test'] * num_test_ids
    entries = []
    for pid, split in enumerate(splits, start=1):
        for i in range(images_per_id):
            file_path = f'cam_a/{pid:03d}_{i}.jpg'
            if pid in market:
                file_path = f'Market/{market_name(market[pid], 1, 100 + 10 * pid + i)}'
            target = root / 'imgs' / file_path
            write_image(target, f'person {market.get(pid, pid)}')
            if i == 0 and market.get(pid) in copies:
                target.write_bytes(copies[market[pid]].read_bytes())
            shirt, trousers = _colors(f'person {market.get(pid, pid)}')
            captions = [
                f'Image {i}, note {k}: a {shirt} shirt and {trousers} trousers.'
                for k in range(captions_per_image)
            ]
            entries.append(
                {
                    'split': split,
                    'captions': captions,
                    'file_path': file_path,
                    'processed_tokens': [c.lower().split() for c in captions],
                    'id': pid,
                }
            )
    write_entries(root, entries)
    return root


def write_entries(root: str | Path, entries: Iterable[object]) -> None:
    """Write ``reid_raw.json``."""
    text = json.dumps(list(entries))
    (Path(root) / 'reid_raw.json').write_text(text, encoding='utf-8')


def read_entries(root: str | Path) -> list[dict]:
    """Read the entries of ``reid_raw.json``."""
    return json.loads((Path(root) / 'reid_raw.json').read_text(encoding='utf-8'))


def _colors(key: str) -> tuple[str, str]:
    names = list(COLORS)
    number = zlib.crc32(key.encode())
    return names[number % len(names)], names[number // len(names) % len(names)]
