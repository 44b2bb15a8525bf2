"""MSMT17 in its three layouts: V1, V2 and merged."""

import logging
import os
from collections.abc import Iterable
from typing import Any, ClassVar

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import AnnotationError
from ..fault_collector import raise_or_collect
from ..images.image_files import check_images
from ..images.suffixes import with_suffix
from ..items import Item, Pipeline
from .market1501 import Market1501, find_folder_problems, read_folder
from .msmt17_lists import ListedImage, find_list, read_list

TEST_OFFSET = 10_000
"""Added to test identities: both splits number them from 0, in four digits."""

_VERSION_FOLDERS = {
    'v1': {'train': 'train', 'test': 'test'},
    'v2': {'train': 'mask_train_v2', 'test': 'mask_test_v2'},
    'merged': {'train': 'bounding_box_train', 'test': 'bounding_box_test'},
}
_LIST_FILES: dict[str, dict[str, tuple[str, ...]]] = {
    'train': {'train': ('list_train.txt', 'list_val.txt')},
    'test': {'query': ('list_query.txt',), 'gallery': ('list_gallery.txt',)},
}
_MERGED_EXAMPLE = '0000_c1_0002.jpg'
_LAYOUT = (
    'train/ and test/ (V1) or mask_train_v2/ and mask_test_v2/ (V2), with '
    'list_train.txt, list_val.txt, list_query.txt and list_gallery.txt beside or in '
    'them; or bounding_box_train/, bounding_box_test/ and query/ (merged)'
)
_SOURCE = 'https://www.pkuvmc.com/dataset.html'


@DATASETS.register_module()
class MSMT17(BaseReIDDataset):
    """MSMT17: 4,101 identities seen by fifteen cameras, image to image.

    Split ``'train'`` is ``list_train.txt``, and ``list_val.txt`` if ``with_val``;
    ``'test'`` has the queries followed by the gallery. Each is sorted by path. Cameras
    are counted from 0. :data:`TEST_OFFSET` is added to test identities, so that they
    don't collide with training identities.

    List files are searched in ``data_root``, then in the image folder. A merged copy
    (Market-1501's layout) has no lists: ``val`` can't be separated from training, and
    its identity numbers may differ from MSMT17's.

    Person Transfer GAN to Bridge Domain Gap for Person Re-identification (CVPR 2018).

    Args:
        data_root: The folder that holds the image folders.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        with_val: Whether to train on ``list_val.txt`` too, 32,621 instead of 30,248
            images. CLIP-ReID and TransReID do; torchreid and fast-reid don't.
        version: ``'v1'``, ``'v2'`` (blurred faces) or ``'merged'``. Defaults to the one
            found in ``data_root``.
        **options: See :class:`BaseReIDDataset`.

    Raises:
        ValueError: The version is unknown. Others: see :class:`BaseReIDDataset`.
    """

    benchmark = 'MSMT17'
    splits = ('train', 'test')
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(1_041, 32_621)},
        'train without val': {'train': Counts(1_041, 30_248)},
        'test': {'query': Counts(3_060, 11_659), 'gallery': Counts(3_060, 82_161)},
    }

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Pipeline = (),
        *,
        with_val: bool = True,
        version: str | None = None,
        **options: Any,
    ) -> None:
        self.with_val = with_val
        self.version = version
        super().__init__(data_root, split, pipeline, **options)
        if self.version == 'v2':
            log(
                f'{self.name}: this is V2, with blurred faces. Scores on it are lower '
                "than on V1, which papers report; don't compare the two.",
                level=logging.WARNING,
            )

    @property
    def layout_options(self) -> dict[str, Any]:
        """See :attr:`BaseReIDDataset.layout_options`."""
        return {'with_val': self.with_val, 'version': self.version}

    @property
    def published_counts(self) -> dict[str, Counts]:
        """See :attr:`BaseReIDDataset.published_counts`."""
        with_val = self.split == 'test' or self.with_val
        return self.published[self.split if with_val else 'train without val']

    def describe_layout(self) -> str:
        """See :meth:`BaseReIDDataset.describe_layout`."""
        parts = [f'{self.version} layout', *self._lists]
        if self.split == 'train':
            parts.append(f'{"with" if self.with_val else "without"} val')
        return ', '.join(parts)

    @classmethod
    def find_layout_problems(
        cls,
        data_root: str,
        split: str = 'train',
        with_val: bool = True,
        version: str | None = None,
        suffix: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        Raises:
            ValueError: The split or the version is unknown.
        """
        cls.check_split(split)
        if version not in (None, *_VERSION_FOLDERS):
            raise ValueError(
                f'version must be one of {[*_VERSION_FOLDERS]} or None, got '
                f'{version!r}.'
            )
        problems = cls.find_root_problem(data_root, _LAYOUT, _SOURCE)
        if problems:
            return problems
        versions = [version] if version else find_versions(data_root)
        if len(versions) != 1:
            problem = (
                f'holds {" and ".join(versions)}: choose one with version='
                if versions
                else f'holds none of the known layouts. Expected {_LAYOUT}'
            )
            return [f"{cls.benchmark}: folder '{data_root}' {problem}."]
        if versions[0] == 'merged':
            return cls._find_merged_problems(data_root, split, with_val, suffix)
        folder = _VERSION_FOLDERS[versions[0]][split]
        return cls._find_list_problems(data_root, folder, split, with_val)

    @classmethod
    def _find_merged_problems(
        cls, data_root: str, split: str, with_val: bool, suffix: str | None
    ) -> list[str]:
        folders = Market1501.folders[split].values()
        problems = find_folder_problems(
            cls.benchmark, data_root, folders, with_suffix(_MERGED_EXAMPLE, suffix)
        )
        if split == 'train' and not with_val:
            problems.append(
                f'{cls.benchmark}: the merged layout does not separate val from '
                'training. Set with_val=True, or use V1 or V2 with their lists.'
            )
        return problems

    @classmethod
    def _find_list_problems(
        cls, data_root: str, folder: str, split: str, with_val: bool
    ) -> list[str]:
        problems = []
        if not os.path.isdir(os.path.join(data_root, folder)):
            problems.append(
                f"{cls.benchmark}: folder '{os.path.join(data_root, folder)}' does not "
                f'exist. Expected {_LAYOUT}.'
            )
        for name in _list_names(split, with_val):
            if find_list(data_root, folder, name) is None:
                problems.append(
                    f"{cls.benchmark}: file '{name}' is neither in '{data_root}' nor "
                    f"in its subfolder '{folder}'. Some copies lack it: ask the "
                    f'authors for the complete archive ({_SOURCE}).'
                )
        return problems

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        self.version = self.version or find_versions(self.data_root)[0]
        self.original_pids = self.version != 'merged'
        self._lists: list[str] = []
        items = self._read_merged() if self.version == 'merged' else self._read_listed()
        offset = TEST_OFFSET if self.split == 'test' else 0
        return [dict(item, pid=item['pid'] + offset) for item in items]

    def _read_merged(self) -> list[Item]:
        items = []
        for item_split, folder in Market1501.folders[self.split].items():
            path = os.path.join(self.data_root, folder)
            part = read_folder(
                path,
                item_split,
                with_suffix(_MERGED_EXAMPLE, self.suffix),
                zero_is_distractor=False,
            )
            _check_pid_range(path, (item['pid'] for item in part))
            items += part
        return items

    def _read_listed(self) -> list[Item]:
        folder = _VERSION_FOLDERS[str(self.version)][self.split]
        image_root = os.path.join(self.data_root, folder)
        items = []
        for item_split, names in _LIST_FILES[self.split].items():
            listed: list[ListedImage] = []
            for name in names[: 1 + self.with_val]:
                list_file = str(find_list(self.data_root, folder, name))
                self._lists.append(os.path.relpath(list_file, self.data_root))
                listed += [
                    image._replace(path=with_suffix(image.path, self.suffix))
                    for image in read_list(list_file)
                ]
            with raise_or_collect():
                _check_unique(self.data_root, names, listed)
            listed.sort()
            source = ' and '.join(names[: 1 + self.with_val])
            with raise_or_collect():
                check_images(image_root, [image.path for image in listed], source)
            items += [_make_item(image, image_root, item_split) for image in listed]
        return items


def find_versions(data_root: str) -> list[str]:
    """Return the layouts of which ``data_root`` has a folder: V1, V2, merged."""
    return [
        version
        for version, folders in _VERSION_FOLDERS.items()
        if any(os.path.isdir(os.path.join(data_root, f)) for f in folders.values())
    ]


def _list_names(split: str, with_val: bool) -> list[str]:
    return [n for names in _LIST_FILES[split].values() for n in names[: 1 + with_val]]


def _check_unique(
    data_root: str, names: Iterable[str], listed: list[ListedImage]
) -> None:
    repeated = len(listed) - len({image.path for image in listed})
    if repeated:
        raise AnnotationError(
            f'{repeated:,} images are listed twice in {" and ".join(names)} of '
            f"'{data_root}'. If list_train.txt already holds val, set with_val=False."
        )


def _check_pid_range(path: str, pids: Iterable[int]) -> None:
    highest = max(pids, default=0)
    if highest >= TEST_OFFSET:
        raise AnnotationError(
            f"'{path}' holds identity {highest}. MSMT17 numbers identities in four "
            'digits: this is another dataset; read it with Market1501.'
        )


def _make_item(image: ListedImage, image_root: str, split: str) -> Item:
    return {
        'img_path': os.path.join(image_root, *image.path.split('/')),
        'pid': image.pid,
        'camid': image.camid,
        'caption': None,
        'split': split,
    }
