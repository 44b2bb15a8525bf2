"""Market-1501, and whatever is stored in its layout."""

import os
import re
from typing import Any, ClassVar

from hplreid.registry import DATASETS

from .base import BaseReIDDataset
from .counts import Counts
from .errors import AnnotationError, listing
from .items import Item

_NAME = re.compile(r'(-1|\d+)_c(\d+)')
_LAYOUT = (
    'bounding_box_train/, bounding_box_test/ and query/ in it, with pictures such as '
    '0002_c1s1_000451_03.jpg (identity 2, camera 1)'
)
_SOURCE = 'https://zheng-lab.cecs.anu.edu.au/Project/project_reid.html'


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
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(751, 12_936)},
        'test': {'query': Counts(750, 3_368), 'gallery': Counts(751, 15_913)},
    }

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`."""
        cls.check_split(split)
        problems = cls.find_root_problem(data_root, _LAYOUT, _SOURCE)
        if problems:
            return problems
        for folder in cls.folders[split].values():
            path = os.path.join(data_root, folder)
            if not os.path.isdir(path):
                problems.append(
                    f"{cls.benchmark}: folder '{path}' does not exist. Expected "
                    f'{_LAYOUT}: data_root is the folder that holds these three.'
                )
            elif not any(_is_picture(name) for name in os.listdir(path)):
                problems.append(
                    f"{cls.benchmark}: folder '{path}' holds no .jpg. Expected "
                    'pictures such as 0002_c1s1_000451_03.jpg: unpack it again.'
                )
        return problems

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        return [
            item
            for item_split, folder in self.folders[self.split].items()
            for item in read_folder(os.path.join(self.data_root, folder), item_split)
        ]


def read_folder(path: str, split: str) -> list[Item]:
    """Read identity and camera off the file names of a folder, sorted.

    Raises:
        AnnotationError: A name can't be read, or identity 0 is outside the gallery.
    """
    items, bad, distractors = [], [], []
    for name in sorted(filter(_is_picture, os.listdir(path))):
        match = _NAME.match(name)
        if match is None or int(match[2]) < 1:
            bad.append(name)
            continue
        pid = int(match[1])
        if pid == -1:
            continue
        if pid == 0 and split != 'gallery':
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
    if bad:
        raise AnnotationError(
            f"{len(bad):,} names in '{path}' don't tell identity and camera: "
            f'{listing(bad)}. Expected <identity>_c<camera from 1>..., such as '
            '0002_c1s1_000451_03.jpg.'
        )
    if distractors:
        raise AnnotationError(
            f"{len(distractors):,} pictures in '{path}' have identity 0: "
            f'{listing(distractors)}. Number 0 marks distractors, which belong in '
            'bounding_box_test; count identities from 1.'
        )
    return items


def _is_picture(name: str) -> bool:
    # Thumbs.db lies among the pictures of the original archive
    return name.lower().endswith('.jpg')
