"""A dataset from folders: one for each person."""

import os
import re
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from mmengine.logging import print_log

from hplreid.registry import DATASETS

from ..errors import AnnotationError, MissingDataError, list_names
from ..fault_collector import raise_or_collect
from ..items import Pipeline
from .annotation_rows import (
    Row,
    find_row_problems,
    number_identities,
    parse_whole_number,
)
from .own_dataset import OwnDataset

_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_FOLDERS = ('train', 'query', 'gallery')


class Found(NamedTuple):
    """What lies in the folders: images, and files that are none by their suffix."""

    rows: list[Row]
    others: list[str]


@DATASETS.register_module()
class FolderDataset(OwnDataset):
    r"""Images of one's own in ``{train,query,gallery}/<identity>/``, image to image.

    Split ``'train'`` is the folder ``train``; ``'test'`` is ``query`` followed by
    ``gallery``, each sorted by path. Sub-folders of an identity are looked into. If all
    identities are whole numbers they are kept, else they are counted in sorted order,
    over all three folders. Hidden files are ignored; others that are no images by
    their suffix, or that lie outside the folder of an identity, are logged.

    Args:
        data_root: The folder that holds the three.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        camera: Regular expression with one group, the number of the camera. It is
            searched in the path below the identity's folder: ``r'_c(\d+)'`` for
            ``0001_c3.jpg``, ``r'^cam(\d+)/'`` for ``cam3/0001.jpg``. None if cameras
            are unknown.
        name: Name of the data. Defaults to the folder's.
        verify: Whether to decode every image now, and name all that can't be.

    Raises:
        MissingDataError: Folders or images are missing.
        AnnotationError: File names don't tell the camera, an identity's number is
            written in two ways, or a link leads in a circle.
        UnreadableImageError: See ``verify``.
        ValueError: An option isn't known, or ``camera`` isn't such an expression.
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
        self._found = scan(data_root, camera)
        super().__init__(
            self._found.rows,
            data_root,
            split,
            pipeline,
            self.tasks[split],
            name or os.path.basename(os.path.abspath(data_root)),
            verify,
        )
        if others := self._found.others:
            print_log(
                f'{self.name}: {len(others):,} files are no images in the folder of '
                f'an identity, and are left out: {list_names(others)}.',
                logger='current',
                level=30,
            )
        del self._found

    @property
    def layout_options(self) -> dict[str, Any]:
        """See :class:`BaseReIDDataset`."""
        return {'found': self._found}

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        camera: str | None = None,
        found: Found | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        All three folders are listed, unless what was ``found`` in them is given.
        """
        cls.check_split(split)
        if found is None:
            try:
                found = scan(data_root, camera)
                number_identities(row.identity for row in found.rows)
            except (AnnotationError, MissingDataError) as error:
                return [str(error)]
        hint = 'Expected images in {split}/<identity>/.'
        name = f"Folder '{data_root}'"
        return find_row_problems(found.rows, split, cls.tasks[split], name, hint)


def scan(data_root: str, camera: str | None = None) -> Found:
    """List the images of all splits.

    Args:
        data_root: The folder that holds ``train``, ``query`` and ``gallery``.
        camera: See :class:`FolderDataset`.

    Raises:
        MissingDataError: There is no such folder.
        AnnotationError, ValueError: See :class:`FolderDataset`.
    """
    pattern = None if camera is None else _compile(camera)
    if not os.path.isdir(data_root):
        raise MissingDataError(
            f"Folder '{data_root}' does not exist. Expected train/, query/ and "
            'gallery/ in it, with a folder of images for each identity.'
        )
    rows, others, bad = [], [], []
    for split in _FOLDERS:
        top = os.path.join(data_root, split)
        if not os.path.isdir(top):
            continue
        for inner in _list_files(top, ()):
            identity, _, rest = inner.partition('/')
            if not rest or not rest.lower().endswith(_SUFFIXES):
                others.append(f'{split}/{inner}')
                continue
            camid = -1 if pattern is None else _find_camera(pattern, rest)
            if camid is None:
                bad.append(f'{split}/{inner}')
                continue
            path = os.path.join(top, *inner.split('/'))
            rows.append(Row(path, identity, camid, None, split))
    with raise_or_collect():
        if bad:
            raise AnnotationError(
                f"The paths of {len(bad):,} images in '{data_root}' don't tell a "
                f'camera by camera={camera!r}: {list_names(bad)}. It is searched below '
                'the folder of the identity, and its group must be a whole number '
                'from 0.',
                bad,
            )
    return Found(rows, others)


def _compile(camera: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(camera)
    except (re.error, TypeError) as error:
        raise ValueError(
            f'camera={camera!r} is not a regular expression: {error}.'
        ) from error
    if pattern.groups != 1:
        raise ValueError(
            f'camera={camera!r} has {pattern.groups} groups; expected one, the number '
            r"of the camera, such as r'_c(\d+)'."
        )
    return pattern


def _find_camera(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return None if match is None else parse_whole_number(match[1])


def _list_files(folder: str, above: tuple[str, ...]) -> Iterator[str]:
    """Yield the files below a folder, sorted, with slashes; hidden ones are ignored."""
    real = os.path.realpath(folder)
    if real in above:
        raise AnnotationError(
            f"Folder '{folder}' is a link to '{real}', which it lies in. Remove it."
        )
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith('.') or name == 'Thumbs.db':
            continue
        if os.path.isdir(path):
            yield from (
                f'{name}/{inner}' for inner in _list_files(path, (*above, real))
            )
        else:
            yield name
