"""Market-1501, and other data in its layout."""

import logging
import os
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from hplreid.registry import DATASETS
from hplreid.utils.log import log

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import AnnotationError, list_names
from ..fault_collector import raise_or_collect
from ..images.suffixes import find_suffix, with_suffix
from ..items import Item

_NAME_PATTERN = re.compile(r'(-1|[0-9]{1,9})_c([0-9]{1,3})(?![0-9])')


@DATASETS.register_module()
class Market1501(BaseReIDDataset):
    """Market-1501: 1,501 identities seen by six cameras, image to image.

    Split ``'train'`` is ``bounding_box_train``; ``'test'`` has the queries (``query``)
    followed by the gallery (``bounding_box_test``), each sorted by file name. Junk
    (identity -1) is dropped, distractors (identity 0) stay in the gallery. Cameras are
    counted from 0.

    Scalable Person Re-identification: A Benchmark (ICCV 2015). Arguments are those of
    :class:`BaseReIDDataset`.
    """

    benchmark = 'Market-1501'
    splits = ('train', 'test')
    folders: ClassVar[dict[str, dict[str, str]]] = {
        'train': {'train': 'bounding_box_train'},
        'test': {'query': 'query', 'gallery': 'bounding_box_test'},
    }
    example_name: ClassVar[str] = '0002_c1s1_000451_03.jpg'
    """Example of a file name; all images have its extension."""
    folders_location: ClassVar[str] = 'in it'
    """Where the three folders are in ``data_root``, for messages."""
    source: ClassVar[str] = (
        'https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html'
    )
    """Where the authors distribute the dataset."""
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(751, 12_936)},
        'test': {'query': Counts(750, 3_368), 'gallery': Counts(751, 15_913)},
    }

    @classmethod
    def find_layout_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **options: Any,
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`."""
        cls.check_split(split)
        example_name = with_suffix(cls.example_name, options.get('suffix'))
        layout = (
            'bounding_box_train/, bounding_box_test/ and query/ '
            f'{cls.folders_location}, with images such as {example_name}'
        )
        problems = cls.find_root_problem(data_root, layout, cls.source)
        if problems:
            return problems
        root = cls.find_image_root(data_root, **options)
        folders = cls.folders[split].values()
        return find_folder_problems(cls.benchmark, root, folders, example_name)

    @classmethod
    def find_image_root(cls, data_root: str, **_: Any) -> str:  # noqa: ANN401
        """Return the folder that holds the three folders."""
        return data_root

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        root = self.find_image_root(self.data_root, **self.layout_options)
        return [
            item
            for item_split, folder in self.folders[self.split].items()
            for item in read_folder(
                os.path.join(root, folder),
                item_split,
                with_suffix(self.example_name, self.suffix),
            )
        ]


def find_folder_problems(
    benchmark: str, root: str, folders: Iterable[str], example_name: str
) -> list[str]:
    """Return a message for each folder that is missing or holds no image."""
    problems = []
    for folder in folders:
        path = os.path.join(root, folder)
        if not os.path.isdir(path):
            problems.append(
                f"{benchmark}: folder '{path}' does not exist. Expected "
                'bounding_box_train/, bounding_box_test/ and query/ side by side, with '
                f'images such as {example_name}: data_root is the folder that holds '
                'them.'
            )
        elif not any(_is_image(name, example_name) for name in os.listdir(path)):
            found = find_suffix(os.listdir(path))
            advice = (
                f"its images end in '{found}': set suffix='{found}'"
                if found
                else 'unpack it again'
            )
            problems.append(
                f"{benchmark}: folder '{path}' holds no {_extension(example_name)} "
                f'file. Expected images such as {example_name}: {advice}.'
            )
    return problems


def read_folder(
    path: str,
    split: str,
    example_name: str = Market1501.example_name,
    zero_is_distractor: bool = True,
) -> list[Item]:
    """Read identity and camera from the file names in a folder, sorted by name.

    Args:
        path: The folder.
        split: Split of its items.
        example_name: Example of a file name, for the extension of images and for
            messages.
        zero_is_distractor: Whether identity 0 marks distractors, which only the gallery
            may hold; otherwise it is an ordinary identity.

    Raises:
        AnnotationError: A name is invalid, or identity 0 is outside the gallery.
    """
    items, invalid, distractors = [], [], []
    names = os.listdir(path)
    others = [n for n in names if find_suffix([n]) and not _is_image(n, example_name)]
    if others:
        log(
            f"{len(others):,} images in '{path}' don't end in "
            f"'{_extension(example_name)}' and are not read: {list_names(others, 5)}.",
            level=logging.WARNING,
        )
    for name in sorted(name for name in names if _is_image(name, example_name)):
        match = _NAME_PATTERN.match(name)
        if match is None or int(match[2]) < 1:
            invalid.append(name)
            continue
        pid = int(match[1])
        if pid == -1:
            continue
        if pid == 0 and zero_is_distractor and split != 'gallery':
            distractors.append(name)
        items.append(
            {
                'img_path': os.path.join(path, name),
                'pid': pid,
                'camid': int(match[2]) - 1,
                'caption': None,
                'split': split,
            }
        )
    with raise_or_collect():
        if invalid:
            raise AnnotationError(
                f"{len(invalid):,} file names in '{path}' have no identity and camera: "
                f'{list_names(invalid)}. Expected <identity>_c<camera from 1>..., such '
                f'as {example_name}.',
                invalid,
            )
    with raise_or_collect():
        if distractors:
            raise AnnotationError(
                f"{len(distractors):,} images in '{path}' have identity 0: "
                f'{list_names(distractors)}. Identity 0 marks distractors, which '
                'belong in bounding_box_test; number identities from 1.',
                distractors,
            )
    return items


def _is_image(name: str, example_name: str) -> bool:
    # The original archive contains Thumbs.db; macOS adds ._<name>
    return name.lower().endswith(_extension(example_name)) and not name.startswith('.')


def _extension(name: str) -> str:
    return os.path.splitext(name)[1]
