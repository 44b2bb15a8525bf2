"""Images that a dataset consists of, and their paths on disk."""

from dataclasses import dataclass

from ..person_image import camera_index_of
from ..randomness import Stream, random_stream
from ..sizes import FIRST_IDENTITY, Size

MARKET = 'Market-1501-v15.09.15'
CUHK = 'CUHK-PEDES'
_TRAIN_FOLDERS = ('cam_a', 'cam_b', 'CUHK01', 'train_query')


@dataclass(frozen=True)
class Shot:
    """An image to render.

    Args:
        identity_number: Number of the identity.
        image_index: Index of the image among those of the identity.
        paths: Files to write, relative to the dataset's folder.
        split: ``train``, ``val`` or ``test`` if captioned, else ''.
        text_pid: Identity label in the annotation file, from 1; 0 without captions.
        junk: Whether to crop it badly.
    """

    identity_number: int
    image_index: int
    paths: tuple[str, ...]
    split: str = ''
    text_pid: int = 0
    junk: bool = False


def market_name(
    seed: int, pid: int, identity_number: int, image_index: int, rank_in_role: int
) -> str:
    """Return a file name in the style of Market-1501.

    Args:
        seed: Seed of the dataset.
        pid: Identity label to print: 0 for distractors, -1 for junk.
        identity_number: Number of the identity.
        image_index: Index of the image among those of the identity.
        rank_in_role: Position of the identity in its role; frames increase with it,
            so that no two images share a name.
    """
    rng = random_stream(seed, Stream.FRAME, identity_number, image_index)
    camera = camera_index_of(seed, identity_number, image_index) + 1
    frame = rank_in_role * 40 + int(rng.integers(40))
    label = f'{pid:04d}' if pid >= 0 else str(pid)
    sequence, box = rng.integers(1, 7), image_index % 50
    return f'{label}_c{camera}s{sequence}_{frame:06d}_{box:02d}.jpg'


def _market_path(folder: str, name: str) -> str:
    return f'{MARKET}/{folder}/{name}'


def _image_shots(size: Size, seed: int) -> list[Shot]:
    """Return training images of the image-to-image task, some with captions."""
    shots = []
    for i in range(size.train):
        identity_number = FIRST_IDENTITY['i2i_train'] + i
        for k in range(size.train_images):
            # Even labels for training, odd ones for testing: with gaps in between, as
            # in the real data, labels have to be renumbered.
            name = market_name(seed, 2 * i + 2, identity_number, k, i)
            paths = [_market_path('bounding_box_train', name)]
            captioned = i < size.shared and k < size.shared_images
            if captioned:
                paths.append(f'{CUHK}/imgs/Market/{name}')
            split, text_pid = ('train', i + 1) if captioned else ('', 0)
            shots.append(Shot(identity_number, k, tuple(paths), split, text_pid))
    return shots


def _text_shots(size: Size) -> list[Shot]:
    """Return training and validation images of the text-to-image task alone."""
    role = 'pretrain_' if size.pretrain else ''
    train = FIRST_IDENTITY['pretrain_train' if size.pretrain else 't2i_train']
    shots = []
    for i in range(size.captioned):
        text_pid = size.shared + i + 1
        folder = _TRAIN_FOLDERS[i % len(_TRAIN_FOLDERS)]
        for k in range(size.captioned_images):
            name = f'p{text_pid}_s{i * 50 + k}.jpg'
            path = f'{CUHK}/imgs/{folder}/{name}'
            shots.append(Shot(train + i, k, (path,), 'train', text_pid))
    for i in range(size.val):
        text_pid = size.shared + size.captioned + i + 1
        for k in range(size.val_images):
            path = f'{CUHK}/imgs/CUHK03/p{text_pid}_s{i * 50 + k}.jpg'
            shots.append(
                Shot(FIRST_IDENTITY[f'{role}val'] + i, k, (path,), 'val', text_pid)
            )
    return shots


def _test_shots(size: Size, seed: int) -> list[Shot]:
    """Return test images; the same identities serve both tasks."""
    first = FIRST_IDENTITY['pretrain_test' if size.pretrain else 'test']
    before = size.shared + size.captioned + size.val
    shots = []
    for i in range(size.test):
        text_pid = before + i + 1
        for k in range(size.test_images):
            paths = []
            if size.queries:
                folder = 'query' if k < size.queries else 'bounding_box_test'
                name = market_name(seed, 2 * i + 1, first + i, k, i)
                paths.append(_market_path(folder, name))
            # The last images get captions, so that queries of one task are not the
            # gallery of the other.
            captioned = k >= size.test_images - size.test_captioned
            if captioned:
                paths.append(f'{CUHK}/imgs/test_query/p{text_pid}_s{i * 50 + k}.jpg')
            shots.append(
                Shot(
                    first + i,
                    k,
                    tuple(paths),
                    'test' if captioned else '',
                    text_pid if captioned else 0,
                )
            )
    return shots


def _gallery_shots(size: Size, seed: int) -> list[Shot]:
    """Return distractors (label 0) and junk (label -1)."""
    shots = []
    for i in range(size.distractors):
        identity_number = FIRST_IDENTITY['distractor'] + i
        path = _market_path(
            'bounding_box_test', market_name(seed, 0, identity_number, 0, i)
        )
        shots.append(Shot(identity_number, 0, (path,)))
    for i in range(size.junk):
        identity_number, image_index = (
            FIRST_IDENTITY['test'] + i % size.test,
            1000 + i // size.test,
        )
        path = _market_path(
            'bounding_box_test', market_name(seed, -1, identity_number, image_index, i)
        )
        shots.append(Shot(identity_number, image_index, (path,), junk=True))
    return shots


def plan_shots(size: Size, seed: int) -> list[Shot]:
    """Return all images of a dataset, in a fixed order.

    Args:
        size: Size of the dataset.
        seed: Seed of the dataset.

    Example:
        >>> from hplreid.synthpeds import SIZES
        >>> from hplreid.synthpeds.writing import plan_shots
        >>> shots = plan_shots(SIZES['tiny'], seed=0)
        >>> len(shots), shots[0].paths[0]
        (96, 'Market-1501-v15.09.15/bounding_box_train/0002_c2s1_000031_00.jpg')
    """
    return [
        *_image_shots(size, seed),
        *_text_shots(size),
        *_test_shots(size, seed),
        *_gallery_shots(size, seed),
    ]
