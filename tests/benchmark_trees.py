"""Functions that write tiny datasets in the layouts of five other benchmarks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from tests.helpers import write_image

MSMT17_FOLDERS = {'v1': ('train', 'test'), 'v2': ('mask_train_v2', 'mask_test_v2')}


def make_duke(
    root: str | Path,
    num_ids: int = 3,
    images_per_id: int = 2,
    num_test_ids: int = 2,
    num_distractors: int = 1,
) -> Path:
    """Write a DukeMTMC-reID tree; distractors follow test and training identities.

    Cameras alternate from 1 (training) or are 7 (query) and 8 (gallery, one match).
    """
    root = Path(root)
    for pid in range(1, num_ids + 1):
        for i in range(images_per_id):
            _duke_image(root / 'bounding_box_train', pid, i % 8 + 1, i)
    first_test = num_ids + 1
    for pid in range(first_test, first_test + num_test_ids):
        _duke_image(root / 'query', pid, 7, 0)
        _duke_image(root / 'bounding_box_test', pid, 8, 1)
    first = first_test + num_test_ids
    for pid in range(first, first + num_distractors):
        _duke_image(root / 'bounding_box_test', pid, 8, 2)
    return root


def _duke_image(folder: Path, pid: int, camera: int, frame: int) -> None:
    write_image(folder / f'{pid:04d}_c{camera}_f{frame:07d}.jpg', f'person {pid}')


def msmt17_name(pid: int, index: int, camera: int) -> str:
    """Return a path such as ``0003/0003_001_04_0303morning_0008_1.jpg``."""
    return f'{pid:04d}/{pid:04d}_{index:03d}_{camera:02d}_0303morning_0008_{index}.jpg'


def make_msmt17(
    root: str | Path,
    version: str = 'v1',
    num_ids: int = 3,
    images_per_id: int = 4,
    num_test_ids: int = 2,
    lists_inside: bool = False,
) -> Path:
    """Write an MSMT17 tree of V1 or V2; both splits number identities from 0.

    The last image of each training identity is in ``list_val.txt``, the others are in
    ``list_train.txt``; cameras alternate from 1. Each test identity has a query by
    camera 14 and a match by camera 15. Lists are written in reverse: their order must
    not matter.
    """
    root = Path(root)
    train, test = (root / folder for folder in MSMT17_FOLDERS[version])
    lists: dict[str, list[str]] = {'train': [], 'val': [], 'query': [], 'gallery': []}
    for pid in range(num_ids):
        for i in range(images_per_id):
            name = msmt17_name(pid, i, i % 15 + 1)
            write_image(train / name, f'person {pid}')
            lists['train' if i < images_per_id - 1 else 'val'].append(f'{name} {pid}')
    for pid in range(num_test_ids):
        for part, camera in (('query', 14), ('gallery', 15)):
            name = msmt17_name(pid, camera, camera)
            write_image(test / name, f'test person {pid}')
            lists[part].append(f'{name} {pid}')
    for part, lines in lists.items():
        folder = (train if part in ('train', 'val') else test) if lists_inside else root
        (folder / f'list_{part}.txt').write_text('\n'.join(lines[::-1]) + '\n')
    return root


def make_merged_msmt17(
    root: str | Path, num_ids: int = 3, images_per_id: int = 4, num_test_ids: int = 2
) -> Path:
    """Write MSMT17 in Market-1501's layout; both splits number identities from 0."""
    root = Path(root)
    for pid in range(num_ids):
        for i in range(images_per_id):
            name = f'{pid:04d}_c{i % 15 + 1}_{i:04d}.jpg'
            write_image(root / 'bounding_box_train' / name, f'person {pid}')
    for pid in range(num_test_ids):
        for folder, camera in (('query', 14), ('bounding_box_test', 15)):
            name = f'{pid:04d}_c{camera}_{camera:04d}.jpg'
            write_image(root / folder / name, f'test person {pid}')
    return root


def make_cuhk03_np(
    root: str | Path, detector: str = 'labeled', num_ids: int = 2, num_test_ids: int = 2
) -> Path:
    """Write the folders of one detector: two images by each camera per identity.

    The first image of a test identity by each camera is a query.
    """
    root = Path(root)
    for pid in range(1, num_ids + num_test_ids + 1):
        for camera in (1, 2):
            for i in (1, 2):
                folder = 'query' if i == 1 else 'bounding_box_test'
                folder = 'bounding_box_train' if pid <= num_ids else folder
                path = root / detector / folder / f'{pid:04d}_c{camera}_{i}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new('RGB', (32, 64), (10 * pid, 90 * i, 90 * camera)).save(path)
    return root


def write_captions(path: Path, entries: Iterable[object]) -> None:
    """Write an annotation file."""
    path.write_text(json.dumps(list(entries), ensure_ascii=False), encoding='utf-8')


def make_icfg_pedes(
    root: str | Path,
    splits: Mapping[str, Sequence[str]],
    images_per_id: int = 2,
    file: str = 'ICFG-PEDES.json',
) -> Path:
    """Write an ICFG-PEDES tree: one caption per image, identities from 0.

    Args:
        root: The folder.
        splits: For ``'train'`` and ``'test'`` the MSMT17 folders of their identities,
            such as ``'test/0001'``.
        images_per_id: Images of each identity.
        file: Name of the annotation file.
    """
    root = Path(root)
    entries = []
    identities = [(split, folder) for split in splits for folder in splits[split]]
    for pid, (split, folder) in enumerate(identities):
        part, _, number = folder.partition('/')
        for i in range(images_per_id):
            path = f'{part}/{msmt17_name(int(number), 100 + i, i + 3)}'
            write_image(root / 'imgs' / path, f'{folder} {i}')
            caption = f'Person {pid}, image {i}.'
            entries.append(
                {
                    'split': split,
                    'captions': [caption],
                    'file_path': path,
                    'processed_tokens': [caption.lower().split()],
                    'id': pid,
                }
            )
    write_captions(root / file, entries)
    return root


def make_rstpreid(
    root: str | Path,
    num_ids: int = 2,
    num_val_ids: int = 1,
    num_test_ids: int = 1,
    images_per_id: int = 3,
) -> Path:
    """Write an RSTPReid tree: two captions per image, identities from 0.

    Cameras alternate from 13 to 15.
    """
    root = Path(root)
    splits = ['train'] * num_ids + ['val'] * num_val_ids + ['test'] * num_test_ids
    entries = []
    for pid, split in enumerate(splits):
        for i in range(images_per_id):
            name = f'{pid:04d}_c{i % 3 + 13}_{i:04d}.jpg'
            write_image(root / 'imgs' / name, f'person {pid}')
            captions = [f'Person {pid}, image {i}, note {k}.' for k in (0, 1)]
            entries.append(
                {'id': pid, 'img_path': name, 'captions': captions, 'split': split}
            )
    write_captions(root / 'data_captions.json', entries)
    return root
