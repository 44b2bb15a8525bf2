"""Which images a dataset consists of, and where each lies on disk."""

from dataclasses import dataclass

from ..person_image import camera_of
from ..randomness import Stream, stream
from ..sizes import ROLES, Size

MARKET = 'Market-1501-v15.09.15'
CUHK = 'CUHK-PEDES'
_TRAIN_FOLDERS = ('cam_a', 'cam_b', 'CUHK01', 'train_query')


@dataclass(frozen=True)
class Shot:
    """An image to take.

    Args:
        number: Identity number.
        index: Number of the image of that identity.
        paths: Where it goes, relative to the dataset's folder.
        split: ``train``, ``val`` or ``test`` where it has captions, else ''.
        text_id: Identity in the captions' file, from 1; 0 without captions.
        junk: Whether to cut it badly.
    """

    number: int
    index: int
    paths: tuple[str, ...]
    split: str = ''
    text_id: int = 0
    junk: bool = False


def market_name(seed: int, pid: int, number: int, index: int, place: int) -> str:
    """File name in the style of Market-1501.

    Args:
        seed: Seed of the dataset.
        pid: Person id to print: 0 for distractors, -1 for junk.
        number: Identity number.
        index: Number of the image of that identity.
        place: Position of the identity in its role: frames go up with it, so that
            no two images share a name.
    """
    rng = stream(seed, Stream.FRAME, number, index)
    camera = camera_of(seed, number, index) + 1
    frame = place * 40 + int(rng.integers(40))
    person = f'{pid:04d}' if pid >= 0 else str(pid)
    return f'{person}_c{camera}s{rng.integers(1, 7)}_{frame:06d}_{index % 50:02d}.jpg'


def _market_path(folder: str, name: str) -> str:
    return f'{MARKET}/{folder}/{name}'


def _image_shots(size: Size, seed: int) -> list[Shot]:
    """Training images of the image-to-image task, some with captions."""
    shots = []
    for i in range(size.train):
        number = ROLES['i2i_train'] + i
        for k in range(size.train_images):
            # Even ids train, odd ids test, gaps in between: as in the real data,
            # ids have to be relabeled.
            name = market_name(seed, 2 * i + 2, number, k, i)
            paths = [_market_path('bounding_box_train', name)]
            told = i < size.shared and k < size.shared_images
            if told:
                paths.append(f'{CUHK}/imgs/Market/{name}')
            shots.append(
                Shot(number, k, tuple(paths), 'train' * told, (i + 1) * told)
            )  # fmt: skip
    return shots


def _text_shots(size: Size) -> list[Shot]:
    """Training and validation images of the text-to-image task alone."""
    role = 'pretrain_' if size.pretrain else ''
    train = ROLES['pretrain_train' if size.pretrain else 't2i_train']
    shots = []
    for i in range(size.captioned):
        text_id = size.shared + i + 1
        folder = _TRAIN_FOLDERS[i % len(_TRAIN_FOLDERS)]
        for k in range(size.captioned_images):
            name = f'p{text_id}_s{i * 50 + k}.jpg'
            path = f'{CUHK}/imgs/{folder}/{name}'
            shots.append(Shot(train + i, k, (path,), 'train', text_id))
    for i in range(size.val):
        text_id = size.shared + size.captioned + i + 1
        for k in range(size.val_images):
            path = f'{CUHK}/imgs/CUHK03/p{text_id}_s{i * 50 + k}.jpg'
            shots.append(Shot(ROLES[f'{role}val'] + i, k, (path,), 'val', text_id))
    return shots


def _test_shots(size: Size, seed: int) -> list[Shot]:
    """Test images: the same people serve both tasks."""
    first = ROLES['pretrain_test' if size.pretrain else 'test']
    before = size.shared + size.captioned + size.val
    shots = []
    for i in range(size.test):
        text_id = before + i + 1
        for k in range(size.test_images):
            paths = []
            if size.queries:
                folder = 'query' if k < size.queries else 'bounding_box_test'
                name = market_name(seed, 2 * i + 1, first + i, k, i)
                paths.append(_market_path(folder, name))
            # The last images get captions: queries of one task are then not the
            # gallery of the other.
            told = k >= size.test_images - size.test_captioned
            if told:
                paths.append(f'{CUHK}/imgs/test_query/p{text_id}_s{i * 50 + k}.jpg')
            shots.append(
                Shot(first + i, k, tuple(paths), 'test' * told, text_id * told)
            )  # fmt: skip
    return shots


def _gallery_shots(size: Size, seed: int) -> list[Shot]:
    """Distractors (id 0) and junk (id -1)."""
    shots = []
    for i in range(size.distractors):
        number = ROLES['distractor'] + i
        path = _market_path('bounding_box_test', market_name(seed, 0, number, 0, i))
        shots.append(Shot(number, 0, (path,)))
    for i in range(size.junk):
        number, index = ROLES['test'] + i % size.test, 1000 + i // size.test
        path = _market_path(
            'bounding_box_test', market_name(seed, -1, number, index, i)
        )
        shots.append(Shot(number, index, (path,), junk=True))
    return shots


def plan(size: Size, seed: int) -> list[Shot]:
    """All images of a dataset, in a fixed order."""
    return [
        *_image_shots(size, seed),
        *_text_shots(size),
        *_test_shots(size, seed),
        *_gallery_shots(size, seed),
    ]
