"""Market-1501, and whatever is stored in its layout."""

import os
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from hplreid.registry import DATASETS

from ..base import BaseReIDDataset
from ..counts import Counts
from ..errors import AnnotationError, listing
from ..fault_collector import tolerable
from ..items import Item

_NAME = re.compile(r'(-1|[0-9]{1,9})_c([0-9]{1,3})(?![0-9])')


@DATASETS.register_module()
class Market1501(BaseReIDDataset):
    """Market-1501: 1,501 identities seen by six cameras, image to image.

    Split ``'train'`` is ``bounding_box_train``; ``'test'`` is the queries (``query``)
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
    example: ClassVar[str] = '0002_c1s1_000451_03.jpg'
    """A file name; its ending is that of all images."""
    place: ClassVar[str] = 'in it'
    """Where the three folders lie in ``data_root``."""
    source: ClassVar[str] = (
        'https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html'
    )
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(751, 12_936)},
        'test': {'query': Counts(750, 3_368), 'gallery': Counts(751, 15_913)},
    }

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **options: Any,
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`."""
        cls.check_split(split)
        layout = (
            f'bounding_box_train/, bounding_box_test/ and query/ {cls.place}, with '
            f'images such as {cls.example}'
        )
        problems = cls.find_root_problem(data_root, layout, cls.source)
        if problems:
            return problems
        home = cls.find_home(data_root, **options)
        folders = cls.folders[split].values()
        return find_folder_problems(cls.benchmark, home, folders, cls.example)

    @classmethod
    def find_home(cls, data_root: str, **_: Any) -> str:  # noqa: ANN401
        """Return the folder that holds the three folders."""
        return data_root

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        home = self.find_home(self.data_root, **self.layout_options)
        return [
            item
            for item_split, folder in self.folders[self.split].items()
            for item in read_folder(
                os.path.join(home, folder), item_split, self.example
            )
        ]


def find_folder_problems(
    benchmark: str, home: str, folders: Iterable[str], example: str
) -> list[str]:
    """Return a message for each folder that is absent or holds no image."""
    problems = []
    for folder in folders:
        path = os.path.join(home, folder)
        if not os.path.isdir(path):
            problems.append(
                f"{benchmark}: folder '{path}' does not exist. Expected "
                'bounding_box_train/, bounding_box_test/ and query/ side by side, with '
                f'images such as {example}: data_root is the folder that holds them.'
            )
        elif not any(_is_image(name, example) for name in os.listdir(path)):
            problems.append(
                f"{benchmark}: folder '{path}' holds no {_ending(example)}. Expected "
                f'images such as {example}: unpack it again.'
            )
    return problems


def read_folder(
    path: str,
    split: str,
    example: str = Market1501.example,
    zero_is_nobody: bool = True,
) -> list[Item]:
    """Read identity and camera off the file names of a folder, sorted.

    Args:
        path: The folder.
        split: Split of its items.
        example: A file name, for the ending of images and for messages.
        zero_is_nobody: Whether identity 0 marks distractors, which only the gallery
            may hold; else it's a person like others.

    Raises:
        AnnotationError: A name can't be read, or identity 0 is outside the gallery.
    """
    items, bad, distractors = [], [], []
    names = os.listdir(path)
    for name in sorted(name for name in names if _is_image(name, example)):
        match = _NAME.match(name)
        if match is None or int(match[2]) < 1:
            bad.append(name)
            continue
        pid = int(match[1])
        if pid == -1:
            continue
        if pid == 0 and zero_is_nobody and split != 'gallery':
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
    with tolerable():
        if bad:
            raise AnnotationError(
                f"{len(bad):,} names in '{path}' don't tell identity and camera: "
                f'{listing(bad)}. Expected <identity>_c<camera from 1>..., such as '
                f'{example}.',
                bad,
            )
    with tolerable():
        if distractors:
            raise AnnotationError(
                f"{len(distractors):,} images in '{path}' have identity 0: "
                f'{listing(distractors)}. Number 0 marks distractors, which belong in '
                'bounding_box_test; count identities from 1.',
                distractors,
            )
    return items


def _is_image(name: str, example: str) -> bool:
    # Thumbs.db lies among the images of the original archive; macOS adds ._<name>
    return name.lower().endswith(_ending(example)) and not name.startswith('.')


def _ending(example: str) -> str:
    return os.path.splitext(example)[1]
