"""CUHK-PEDES, and other data in its layout."""

import os
from typing import ClassVar

from hplreid.registry import DATASETS

from ..counts import Counts
from .caption_annotations import AnnotationFormat, read_first_keys
from .captioned_dataset import CaptionedDataset


@DATASETS.register_module()
class CUHKPEDES(CaptionedDataset):
    """CUHK-PEDES: images of 13,003 identities with two captions each, text to image.

    Reads ``reid_raw.json``, the release with splits. ``caption_all.json`` has the same
    captions but no splits and other identity numbers, so the published splits can't be
    derived from it.

    Person Search with Natural Language Description (CVPR 2017). Arguments are those of
    :class:`BaseReIDDataset`, items those of :class:`CaptionedDataset`.
    """

    benchmark = 'CUHK-PEDES'
    splits = ('train', 'val', 'test')
    annotation_files = ('reid_raw.json',)
    annotation_format = AnnotationFormat(splits, 'file_path', 'Market/0002_....jpg')
    layout = (
        'reid_raw.json and imgs/ with cam_a/, cam_b/, CUHK01/, CUHK03/, Market/, '
        'train_query/ and test_query/ in it'
    )
    source = (
        'https://github.com/ShuangLI59/Person-Search-with-Natural-Language-Description'
    )
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(11_003, 34_054)},
        'val': {'gallery': Counts(1_000, 3_078)},
        'test': {'gallery': Counts(1_000, 3_074)},
    }

    @classmethod
    def read_camera(cls, file_path: str) -> int:
        """Return -1: images come from five datasets, and their names tell no camera."""
        return -1

    @classmethod
    def find_annotation_problems(cls, data_root: str) -> list[str]:
        """See :meth:`CaptionedDataset.find_annotation_problems`."""
        path = cls.find_annotation(data_root)
        older_release = os.path.join(data_root, 'caption_all.json')
        if path is None and os.path.isfile(older_release):
            problem = f"found '{older_release}' but no reid_raw.json"
        elif path is not None and _lacks_splits(path):
            problem = f"'{path}' is caption_all.json under another name"
        else:
            return super().find_annotation_problems(data_root)
        return [
            f'{cls.benchmark}: {problem}. caption_all.json, the older release, has no '
            'splits and numbers identities in another order, so the published splits '
            'cannot be derived from it. Ask the authors for reid_raw.json, which has '
            f'the same captions ({cls.source}).'
        ]


def _lacks_splits(path: str) -> bool:
    keys = read_first_keys(path) or set()
    return 'split' not in keys and {'id', 'file_path', 'captions'} <= keys
