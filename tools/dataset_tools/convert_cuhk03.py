"""Make the folders of CUHK03-NP from the raw archive: ``RAW --splits DIR --out DIR``.

The raw archive, ``cuhk-03.mat``, holds all images in one HDF5 file. They are written
once as PNG, in the layout that ``CUHK03NP`` reads: nothing else needs to know of the
archive, and loading doesn't pay for looking images up by reference in it.

The new protocol's splits are ``cuhk03_new_protocol_config_labeled.mat`` and
``..._detected.mat`` of https://github.com/zhunzhong07/person-re-ranking. Needs h5py:
``pip install "hplreid[cuhk03]"``.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.io import loadmat

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hplreid.datasets import CUHK03NP
from hplreid.datasets.benchmarks.cuhk03_np import DETECTORS

FOLDERS = {
    'train_idx': 'bounding_box_train',
    'query_idx': 'query',
    'gallery_idx': 'bounding_box_test',
}
NAME = re.compile(r'([1-9])_([0-9]{3,4})_([12])_([0-9]{2})\.png')


class Place(NamedTuple):
    """Where an image lies in the raw archive, and what it shall be called."""

    pair: int  # of cameras, from 1
    person: int  # of that pair, from 1
    index: int  # of that person, from 1: the first five are of the first camera
    target: str


def import_h5py() -> Any:  # noqa: ANN401
    """Import what only this program needs: MATLAB's newer files are HDF5."""
    try:
        return import_module('h5py')
    except ImportError:
        sys.exit('Reading cuhk-03.mat needs h5py: pip install "hplreid[cuhk03]".')


def read_split(path: Path) -> list[Place]:
    """Read which images the new protocol uses, and as what.

    Raises:
        ValueError: The file isn't that of the new protocol.
    """
    try:
        config = loadmat(path)
        names = [str(name[0]) for name in config['filelist'].ravel()]
        labels = config['labels'].ravel()
        return [
            read_place(names[i - 1], int(labels[i - 1]), folder)
            for key, folder in FOLDERS.items()
            for i in config[key].ravel()
        ]
    except Exception as error:  # SciPy raises whatever it stumbles on
        raise ValueError(
            f"'{path}' is not a split of the new protocol ({error}). Expected "
            'filelist, labels, train_idx, query_idx and gallery_idx, as in '
            'cuhk03_new_protocol_config_labeled.mat.'
        ) from error


def read_place(name: str, label: int, folder: str) -> Place:
    """Read a raw name such as ``1_001_1_01.png``: pair, person, camera, index."""
    match = NAME.fullmatch(name)
    numbers = [int(group) for group in match.groups()] if match else [0]
    if min(numbers) < 1:
        raise ValueError(f"'{name}' is not <pair>_<person>_<camera>_<index>.png")
    pair, person, camera, index = numbers
    return Place(pair, person, index, f'{folder}/{label:04d}_c{camera}_{index}.png')


def read_images(
    raw: Path, detector: str, places: list[Place]
) -> Iterator[tuple[Place, np.ndarray]]:
    """Yield every place and its image, uint8 ``(H, W, 3)``.

    Raises:
        ValueError: The file isn't CUHK03's archive, or lacks an image.
    """
    h5py = import_h5py()
    try:
        file = h5py.File(raw, 'r')
    except OSError as error:
        raise ValueError(f"'{raw}' is not an HDF5 file ({error}).") from error
    with file:
        if detector not in file:
            raise ValueError(f"'{raw}' holds no '{detector}': found {[*file]}.")
        # MATLAB stores columns first, so all axes come reversed
        pairs = [file[ref][:].T for ref in file[detector][:].ravel()]
        for place in places:
            try:
                cell = file[pairs[place.pair - 1][place.person - 1, place.index - 1]]
            except IndexError:
                raise ValueError(f"'{raw}' has no image for {place}.") from None
            if cell.ndim != 3:  # an empty cell
                raise ValueError(f"'{raw}' has no image for {place}.")
            yield place, cell[:].T


def convert(raw: Path, split: Path, out: Path, detector: str) -> None:
    """Write the three folders of one detector, under another name until all is there.

    Raises:
        FileExistsError: ``out`` has them already.
        ValueError: A file isn't what it should be, or two images share a name.
    """
    final = out / detector
    if final.exists():
        raise FileExistsError(f"'{final}' exists and is left alone: remove it first.")
    places = read_split(split)
    if len({place.target for place in places}) < len(places):
        raise ValueError(f"'{split}' uses an image twice.")
    out.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f'.{detector}-', dir=out))
    try:
        for folder in FOLDERS.values():
            (part / folder).mkdir()
        for place, image in read_images(raw, detector, places):
            Image.fromarray(image).save(part / place.target)
        part.chmod(0o755)  # mkdtemp makes it private
        part.rename(final)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Make CUHK03-NP from cuhk-03.mat.')
    parser.add_argument('raw', type=Path, help='cuhk-03.mat')
    parser.add_argument(
        '--splits',
        type=Path,
        required=True,
        help='folder of cuhk03_new_protocol_config_{labeled,detected}.mat',
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to make')
    parser.add_argument(
        '--detector', nargs='+', choices=DETECTORS, default=list(DETECTORS)
    )
    return parser.parse_args()


def main() -> None:
    """Convert, then read what was written, which compares its counts."""
    args = parse_args()
    for detector in args.detector:
        split = args.splits / f'cuhk03_new_protocol_config_{detector}.mat'
        missing = [path for path in (args.raw, split) if not path.is_file()]
        if missing:
            sys.exit(f"File '{missing[0]}' does not exist.")
        try:
            convert(args.raw, split, args.out, detector)
        except (FileExistsError, ValueError) as error:
            sys.exit(str(error))
        for part in CUHK03NP.splits:
            dataset = CUHK03NP(str(args.out), part, detector=detector)
            for name, count in dataset.counts.items():
                print(f'{args.out / detector}, {name}: {count}')


if __name__ == '__main__':
    main()
