"""MSMT17 in the three layouts that go round."""

import os
from collections.abc import Iterable
from typing import Any, ClassVar

from mmengine.logging import print_log

from hplreid.registry import DATASETS

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import AnnotationError
from ..fault_collector import tolerable
from ..images.image_files import check_images
from ..items import Item, Pipeline
from .market1501 import Market1501, find_folder_problems, read_folder
from .msmt17_lists import Line, find_list, read_list

TEST_OFFSET = 10_000
"""Added to identities of the test split: both splits count from 0, in four digits."""

_FOLDERS = {
    'v1': {'train': 'train', 'test': 'test'},
    'v2': {'train': 'mask_train_v2', 'test': 'mask_test_v2'},
    'merged': {'train': 'bounding_box_train', 'test': 'bounding_box_test'},
}
_LISTS: dict[str, dict[str, tuple[str, ...]]] = {
    'train': {'train': ('list_train.txt', 'list_val.txt')},
    'test': {'query': ('list_query.txt',), 'gallery': ('list_gallery.txt',)},
}
_EXAMPLE = '0000_c1_0002.jpg'  # of the merged layout
_LAYOUT = (
    'train/ and test/ (V1) or mask_train_v2/ and mask_test_v2/ (V2), with '
    'list_train.txt, list_val.txt, list_query.txt and list_gallery.txt beside or in '
    'them; or bounding_box_train/, bounding_box_test/ and query/ (merged)'
)
_SOURCE = 'https://www.pkuvmc.com/dataset.html'


@DATASETS.register_module()
class MSMT17(BaseReIDDataset):
    """MSMT17: 4,101 identities seen by fifteen cameras, image to image.

    Split ``'train'`` is ``list_train.txt``, with ``list_val.txt`` if asked; ``'test'``
    is the queries followed by the gallery. Each is sorted by path. Cameras are counted
    from 0. Identities of the test split have :data:`TEST_OFFSET` added, so that they
    don't collide with those of training.

    The lists are looked for in ``data_root``, then in the folder of images. A merged
    copy (Market-1501's layout) has no lists: ``val`` can't be told from training there,
    and whether its identity numbers are MSMT17's isn't known.

    Person Transfer GAN to Bridge Domain Gap for Person Re-identification (CVPR 2018).

    Args:
        data_root: The folder that holds the folders of images.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        with_val: Whether to train on ``list_val.txt`` too, 32,621 images in place of
            30,248. CLIP-ReID and TransReID do; torchreid and fast-reid don't.
        version: ``'v1'``, ``'v2'`` (faces blurred) or ``'merged'``; None: the one that
            is there.
        **options: See :class:`BaseReIDDataset`.

    Raises:
        ValueError: There is no such version. Others: see :class:`BaseReIDDataset`.
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
            print_log(
                f'{self.name}: this is V2, with blurred faces. Its numbers are lower '
                "than V1's, which papers report; don't compare the two.",
                logger='current',
                level=30,
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

    def describe(self) -> str:
        """See :meth:`BaseReIDDataset.describe`."""
        read = [f'{self.version} layout', *self._lists]
        if self.split == 'train':
            read.append(f'{"with" if self.with_val else "without"} val')
        return ', '.join(read)

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        with_val: bool = True,
        version: str | None = None,
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        Raises:
            ValueError: There is no such split or version.
        """
        cls.check_split(split)
        if version not in (None, *_FOLDERS):
            raise ValueError(
                f'version must be one of {[*_FOLDERS]} or None, got {version!r}.'
            )
        problems = cls.find_root_problem(data_root, _LAYOUT, _SOURCE)
        if problems:
            return problems
        found = [version] if version else find_versions(data_root)
        if len(found) != 1:
            there = f'holds {" and ".join(found)}: say which by version' if found else (
                f'holds none of the known layouts. Expected {_LAYOUT}'
            )  # fmt: skip
            return [f"{cls.benchmark}: folder '{data_root}' {there}."]
        if found[0] == 'merged':
            folders = Market1501.folders[split].values()
            problems = find_folder_problems(cls.benchmark, data_root, folders, _EXAMPLE)
            if split == 'train' and not with_val:
                problems.append(
                    f'{cls.benchmark}: the merged layout does not tell val from '
                    'training. Set with_val=True, or use V1 or V2 with their lists.'
                )
            return problems
        folder = _FOLDERS[found[0]][split]
        return cls._find_list_problems(data_root, folder, split, with_val)

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
        for name in _names_of_lists(split, with_val):
            if find_list(data_root, folder, name) is None:
                problems.append(
                    f"{cls.benchmark}: file '{name}' is neither in '{data_root}' nor "
                    f"in its folder '{folder}'. Some copies lack it: ask the authors "
                    f'for the complete archive ({_SOURCE}).'
                )
        return problems

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        self.version = self.version or find_versions(self.data_root)[0]
        self.own_numbers = self.version != 'merged'
        self._lists: list[str] = []
        items = self._read_merged() if self.version == 'merged' else self._read_listed()
        offset = TEST_OFFSET if self.split == 'test' else 0
        return [dict(item, pid=item['pid'] + offset) for item in items]

    def _read_merged(self) -> list[Item]:
        items = []
        for item_split, folder in Market1501.folders[self.split].items():
            path = os.path.join(self.data_root, folder)
            found = read_folder(path, item_split, _EXAMPLE, zero_is_nobody=False)
            _check_numbers(path, (item['pid'] for item in found))
            items += found
        return items

    def _read_listed(self) -> list[Item]:
        folder = _FOLDERS[str(self.version)][self.split]
        images = os.path.join(self.data_root, folder)
        items = []
        for item_split, names in _LISTS[self.split].items():
            lines: list[Line] = []
            for name in names[: 1 + self.with_val]:
                list_file = str(find_list(self.data_root, folder, name))
                self._lists.append(os.path.relpath(list_file, self.data_root))
                lines += read_list(list_file)
            with tolerable():
                _check_unique(self.data_root, names, lines)
            lines.sort()
            source = ' and '.join(names[: 1 + self.with_val])
            with tolerable():
                check_images(images, [line.path for line in lines], source)
            items += [_item(line, images, item_split) for line in lines]
        return items


def find_versions(data_root: str) -> list[str]:
    """Return the layouts of which ``data_root`` has a folder, in the order V1, V2."""
    return [
        version
        for version, folders in _FOLDERS.items()
        if any(os.path.isdir(os.path.join(data_root, f)) for f in folders.values())
    ]


def _names_of_lists(split: str, with_val: bool) -> list[str]:
    return [n for names in _LISTS[split].values() for n in names[: 1 + with_val]]


def _check_unique(data_root: str, names: Iterable[str], lines: list[Line]) -> None:
    repeated = len(lines) - len({line.path for line in lines})
    if repeated:
        raise AnnotationError(
            f'{repeated:,} images are listed twice in {" and ".join(names)} of '
            f"'{data_root}'. If list_train.txt already holds val, set with_val=False."
        )


def _check_numbers(path: str, pids: Iterable[int]) -> None:
    highest = max(pids, default=0)
    if highest >= TEST_OFFSET:
        raise AnnotationError(
            f"'{path}' holds identity {highest}. MSMT17 numbers identities in four "
            'digits: this is another dataset; read it with Market1501.'
        )


def _item(line: Line, images: str, split: str) -> Item:
    return {
        'img_path': os.path.join(images, *line.path.split('/')),
        'pid': line.pid,
        'camid': line.camid,
        'caption': None,
        'split': split,
    }
