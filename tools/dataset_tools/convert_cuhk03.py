"""Make the folders of CUHK03-NP from the raw archive: ``RAW --splits DIR --out DIR``.

The raw archive, ``cuhk-03.mat``, holds all images in one HDF5 file. This program writes
them once as PNG, in the layout that ``CUHK03NP`` reads, so that no other code reads the
archive.

The splits of the new protocol are ``cuhk03_new_protocol_config_labeled.mat`` and
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


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
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
        '--detector',
        nargs='+',
        choices=['labeled', 'detected'],
        default=['labeled', 'detected'],
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
from PIL import Image
from scipy.io import loadmat

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hplreid.datasets import CUHK03NP
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError, as_user_errors

FOLDERS = {
    'train_idx': 'bounding_box_train',
    'query_idx': 'query',
    'gallery_idx': 'bounding_box_test',
}
NAME = re.compile(r'([1-9])_([0-9]{3,4})_([12])_([0-9]{2})\.png')


class ImageLocation(NamedTuple):
    """The location of an image in the raw archive, and its path in the output."""

    pair: int  # of cameras, from 1
    person: int  # of that pair, from 1
    index: int  # of that person, from 1: the first five are of the first camera
    target: str


def import_h5py() -> Any:  # noqa: ANN401
    """Import h5py, which reads the HDF5 files of newer MATLAB versions."""
    try:
        return import_module('h5py')
    except ImportError:
        raise UserError(
            'Reading cuhk-03.mat needs h5py: pip install "hplreid[cuhk03]".'
        ) from None


def read_split(path: Path) -> list[ImageLocation]:
    """Read the images of the new protocol, and the folder of each.

    Raises:
        ValueError: The file isn't a split file of the new protocol.
    """
    try:
        config = loadmat(path)
        names = [str(name[0]) for name in config['filelist'].ravel()]
        labels = config['labels'].ravel()
        return [
            parse_name(names[i - 1], int(labels[i - 1]), folder)
            for key, folder in FOLDERS.items()
            for i in config[key].ravel()
        ]
    except Exception as error:  # SciPy doesn't document what it raises
        raise ValueError(
            f"'{path}' is not a split of the new protocol ({error}). Expected "
            'filelist, labels, train_idx, query_idx and gallery_idx, as in '
            'cuhk03_new_protocol_config_labeled.mat.'
        ) from error


def parse_name(name: str, label: int, folder: str) -> ImageLocation:
    """Parse a raw name such as ``1_001_1_01.png``: pair, person, camera, index."""
    match = NAME.fullmatch(name)
    numbers = [int(group) for group in match.groups()] if match else [0]
    if min(numbers) < 1:
        raise ValueError(f"'{name}' is not <pair>_<person>_<camera>_<index>.png")
    pair, person, camera, index = numbers
    return ImageLocation(
        pair, person, index, f'{folder}/{label:04d}_c{camera}_{index}.png'
    )


def read_images(
    raw: Path, detector: str, locations: list[ImageLocation]
) -> Iterator[tuple[ImageLocation, np.ndarray]]:
    """Yield every location and its image, uint8 ``(H, W, 3)``.

    Raises:
        ValueError: The file isn't CUHK03's archive, or an image is missing.
    """
    h5py = import_h5py()
    try:
        file = h5py.File(raw, 'r')
    except OSError as error:
        raise ValueError(f"'{raw}' is not an HDF5 file ({error}).") from error
    with file:
        if detector not in file:
            raise ValueError(f"'{raw}' holds no '{detector}': found {[*file]}.")
        # MATLAB is column-major, so all axes are reversed
        pairs = [file[ref][:].T for ref in file[detector][:].ravel()]
        for location in locations:
            try:
                cell = file[
                    pairs[location.pair - 1][location.person - 1, location.index - 1]
                ]
            except IndexError:
                raise ValueError(f"'{raw}' has no image for {location}.") from None
            if cell.ndim != 3:  # an empty cell
                raise ValueError(f"'{raw}' has no image for {location}.")
            yield location, cell[:].T


def convert(raw: Path, split: Path, out: Path, detector: str) -> None:
    """Write the three folders of one detector, in a temporary folder until complete.

    Raises:
        FileExistsError: The output folder of the detector exists.
        ValueError: An input file is invalid, or two images share a name.
    """
    final = out / detector
    if final.exists():
        raise FileExistsError(f"'{final}' exists: remove it first.")
    locations = read_split(split)
    if len({location.target for location in locations}) < len(locations):
        raise ValueError(f"'{split}' uses an image twice.")
    out.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{detector}-', dir=out))
    try:
        for folder in FOLDERS.values():
            (temporary / folder).mkdir()
        for location, image in read_images(raw, detector, locations):
            Image.fromarray(image).save(temporary / location.target)
        temporary.chmod(0o755)  # mkdtemp makes it private
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def main(args: argparse.Namespace) -> None:
    """Convert the archive, then read the result, which checks its counts."""
    for detector in args.detector:
        split = args.splits / f'cuhk03_new_protocol_config_{detector}.mat'
        missing = [path for path in (args.raw, split) if not path.is_file()]
        if missing:
            raise UserError(f"File '{missing[0]}' does not exist.")
        with as_user_errors(OSError, ValueError):
            convert(args.raw, split, args.out, detector)
        for split_name in CUHK03NP.splits:
            dataset = CUHK03NP(str(args.out), split_name, detector=detector)
            for name, count in dataset.counts.items():
                print(f'{args.out / detector}, {name}: {count}')


if __name__ == '__main__':
    run_tool(main, ARGS)
