"""A dataset from folders, one for each identity."""

import logging
import os
import re
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..errors import AnnotationError, MissingDataError, list_names
from ..fault_collector import raise_or_collect
from ..images.suffixes import SUFFIXES
from ..items import Pipeline
from ..subfolders import list_subfolders
from .annotation_rows import (
    Row,
    find_row_problems,
    number_identities,
    parse_whole_number,
)
from .own_dataset import OwnDataset

_FOLDERS = ('train', 'query', 'gallery')


class FolderScan(NamedTuple):
    """The images in the folders, and the files that are not used as images."""

    rows: list[Row]
    ignored: list[str]


@DATASETS.register_module()
class FolderDataset(OwnDataset):
    r"""A dataset of your own images in ``{train,query,gallery}/<identity>/``.

    Split ``'train'`` is the folder ``train``; ``'test'`` (image to image) is ``query``
    followed by ``gallery``, each sorted by path. Subfolders of an identity are read
    too. If all identities are whole numbers they are kept, otherwise they are numbered
    in sorted order over all three folders. Hidden files are skipped; files with other
    suffixes or outside the folder of an identity are skipped with a warning.

    Args:
        data_root: The folder that holds ``train``, ``query`` and ``gallery``.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        camera: Regular expression with one group, the camera number, searched in the
            path below the identity's folder: ``r'_c(\d+)'`` for ``0001_c3.jpg``,
            ``r'^cam(\d+)/'`` for ``cam3/0001.jpg``. None if cameras are unknown.
        name: Name of the dataset. Defaults to the folder's.
        verify: Whether to decode every image now and list all unreadable ones.

    Raises:
        MissingDataError: Folders or images are missing.
        AnnotationError: A path has no camera, an identity's number is written in two
            ways, or a link leads to a folder above it.
        UnreadableImageError: See ``verify``.
        ValueError: An option is invalid, or ``camera`` isn't such an expression.

    Example:
        >>> from pathlib import Path
        >>> Path('train/anna').mkdir(parents=True)
        >>> Path('train/anna/1_c3.jpg').touch()
        >>> item = FolderDataset('.', camera=r'_c(\d+)').get_data_info(0)
        >>> item['label'], item['camid']
        (0, 3)
    """

    benchmark = 'FolderDataset'
    splits = ('train', 'test')
    tasks: ClassVar[dict[str, str | None]] = {'train': None, 'test': 'i2i'}

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Pipeline = (),
        *,
        camera: str | None = None,
        name: str | None = None,
        verify: bool = False,
    ) -> None:
        self.check_split(split)
        self.camera = camera
        self._scan = scan_folders(data_root, camera)
        super().__init__(
            self._scan.rows,
            data_root,
            split,
            pipeline,
            self.tasks[split],
            name or os.path.basename(os.path.abspath(data_root)),
            verify,
        )
        if ignored := self._scan.ignored:
            log(
                f'{self.name}: skipped {len(ignored):,} files that are not images in '
                f'the folder of an identity: {list_names(ignored)}.',
                level=logging.WARNING,
            )
        del self._scan

    @property
    def layout_options(self) -> dict[str, Any]:
        """See :class:`BaseReIDDataset`."""
        return {'scan': self._scan}

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        camera: str | None = None,
        scan: FolderScan | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        All three folders are listed, unless the result of ``scan_folders`` is given.
        """
        cls.check_split(split)
        if scan is None:
            try:
                scan = scan_folders(data_root, camera)
                number_identities(row.identity for row in scan.rows)
            except (AnnotationError, MissingDataError) as error:
                return [str(error)]
        hint = 'Expected images in {split}/<identity>/.'
        if not scan.rows:
            for folder in list_subfolders(data_root):
                if any(os.path.isdir(os.path.join(folder, part)) for part in _FOLDERS):
                    hint += f" Its sub-folder '{folder}' has them: set data_root to it."
                    break
        name = f"Folder '{data_root}'"
        return find_row_problems(scan.rows, split, cls.tasks[split], name, hint)


def scan_folders(data_root: str, camera: str | None = None) -> FolderScan:
    """List the images of all splits.

    Args:
        data_root: The folder that holds ``train``, ``query`` and ``gallery``.
        camera: See :class:`FolderDataset`.

    Raises:
        MissingDataError: The folder does not exist.
        AnnotationError, ValueError: See :class:`FolderDataset`.
    """
    pattern = None if camera is None else _compile_pattern(camera)
    if not os.path.isdir(data_root):
        raise MissingDataError(
            f"Folder '{data_root}' does not exist. Expected train/, query/ and "
            'gallery/ in it, with a folder of images for each identity.'
        )
    rows, ignored, without_camera = [], [], []
    for split in _FOLDERS:
        folder = os.path.join(data_root, split)
        if not os.path.isdir(folder):
            continue
        for file in _list_files(folder, ()):
            identity, _, name = file.partition('/')
            if not name or not name.lower().endswith(SUFFIXES):
                ignored.append(f'{split}/{file}')
                continue
            camid = -1 if pattern is None else _find_camera(pattern, name)
            if camid is None:
                without_camera.append(f'{split}/{file}')
                continue
            path = os.path.join(folder, *file.split('/'))
            rows.append(Row(path, identity, camid, None, split))
    with raise_or_collect():
        if without_camera:
            raise AnnotationError(
                f'camera={camera!r} finds no camera in the paths of '
                f"{len(without_camera):,} images in '{data_root}': "
                f'{list_names(without_camera)}. It is searched below the folder of the '
                'identity, and its group must be a whole number from 0.',
                without_camera,
            )
    return FolderScan(rows, ignored)


def _compile_pattern(camera: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(camera)
    except (re.error, TypeError) as error:
        raise ValueError(
            f'camera={camera!r} is not a regular expression: {error}.'
        ) from error
    if pattern.groups != 1:
        raise ValueError(
            f'camera={camera!r} has {pattern.groups} groups; expected one, the camera '
            r"number, such as r'_c(\d+)'."
        )
    return pattern


def _find_camera(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return None if match is None else parse_whole_number(match[1])


def _list_files(folder: str, parents: tuple[str, ...]) -> Iterator[str]:
    """Yield the files below a folder, sorted, with slashes; hidden files are skipped.

    ``parents`` are the real paths of the folders above, to detect circular links.
    """
    real = os.path.realpath(folder)
    if real in parents:
        raise AnnotationError(
            f"Folder '{folder}' is a link to '{real}', one of the folders above it. "
            'Remove it.'
        )
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith('.') or name == 'Thumbs.db':
            continue
        if os.path.isdir(path):
            yield from (
                f'{name}/{file}' for file in _list_files(path, (*parents, real))
            )
        else:
            yield name
