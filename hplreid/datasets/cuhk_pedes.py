"""CUHK-PEDES, and whatever is stored in its layout."""

import os
from typing import Any, ClassVar

from hplreid.registry import DATASETS

from .base import BaseReIDDataset
from .counts import Counts
from .cuhk_pedes_json import Entry, check_pictures, read_entries
from .items import Item

_FILE = 'reid_raw.json'
_LAYOUT = (
    'reid_raw.json and imgs/ with cam_a/, cam_b/, CUHK01/, CUHK03/, Market/, '
    'train_query/ and test_query/ in it'
)
_SOURCE = (
    'https://github.com/ShuangLI59/Person-Search-with-Natural-Language-Description'
)


@DATASETS.register_module()
class CUHKPEDES(BaseReIDDataset):
    """CUHK-PEDES: pictures of 13,003 identities with two captions each, text to image.

    Split ``'train'`` has one item for each pair of picture and caption. ``'val'`` and
    ``'test'`` have the pictures (gallery, without captions) followed by the captions
    (queries, without pictures). Pictures are sorted by path; the captions of one keep
    the order of the file.

    Person Search with Natural Language Description (CVPR 2017). Arguments are those of
    :class:`BaseReIDDataset`.
    """

    benchmark = 'CUHK-PEDES'
    splits = ('train', 'val', 'test')
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(11_003, 34_054)},
        'val': {'gallery': Counts(1_000, 3_078)},
        'test': {'gallery': Counts(1_000, 3_074)},
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
        images = os.path.join(data_root, 'imgs')
        if not os.path.isdir(images):
            problems.append(
                f"{cls.benchmark}: folder '{images}' does not exist. Expected "
                f'{_LAYOUT}: data_root is the folder that holds imgs/.'
            )
        path = os.path.join(data_root, _FILE)
        if not os.path.isfile(path):
            other = os.path.join(data_root, 'caption_all.json')
            found = ' There is caption_all.json, but it does not tell the splits.'
            problems.append(
                f"{cls.benchmark}: file '{path}' does not exist. Expected {_LAYOUT}."
                f'{found if os.path.isfile(other) else ""} Ask the authors for '
                f'{_FILE} ({_SOURCE}).'
            )
        return problems

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        path = os.path.join(self.data_root, _FILE)
        images = os.path.join(self.data_root, 'imgs')
        entries = [e for e in read_entries(path) if e.split == self.split]
        # Captions last, for a picture that is listed twice: no tie is left to the file
        entries.sort(key=lambda e: (e.file_path, e.pid, e.captions))
        check_pictures(images, entries, path)
        if self.split == 'train':
            return [
                _item(e, 'train', images, caption)
                for e in entries
                for caption in e.captions
            ]
        gallery = [_item(e, 'gallery', images) for e in entries]
        queries = [
            _item(e, 'query', None, caption) for e in entries for caption in e.captions
        ]
        return gallery + queries


def _item(
    entry: Entry, split: str, images: str | None, caption: str | None = None
) -> Item:
    path = None if images is None else os.path.join(images, *entry.file_path.split('/'))
    return {
        'img_path': path,
        'pid': entry.pid,
        'camid': -1,
        'caption': caption,
        'split': split,
    }
