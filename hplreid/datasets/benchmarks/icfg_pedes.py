"""ICFG-PEDES: captions of MSMT17's images."""

from typing import ClassVar

from hplreid.registry import DATASETS

from ..counts import Counts
from . import msmt17_lists
from .caption_annotations import AnnotationFormat
from .captioned_dataset import CaptionedDataset


@DATASETS.register_module()
class ICFGPEDES(CaptionedDataset):
    """ICFG-PEDES: images of 4,102 identities with one caption each, text to image.

    There is no ``'val'``. The folders in ``imgs/`` are those of MSMT17, where the
    images come from; they don't indicate the split, the annotation file does. Cameras
    are read from MSMT17's file names.

    Semantically Self-Aligned Network for Text-to-Image Part-aware Person
    Re-identification (2021). Arguments are those of :class:`BaseReIDDataset`, items
    those of :class:`CaptionedDataset`.
    """

    benchmark = 'ICFG-PEDES'
    splits = ('train', 'test')
    annotation_files = ('ICFG-PEDES.json', 'ICFG_PEDES.json')
    annotation_format = AnnotationFormat(
        splits, 'file_path', 'test/0627/0627_010_05_0303afternoon_1591_0.jpg'
    )
    layout = (
        'ICFG-PEDES.json (or ICFG_PEDES.json) and imgs/ with train/ and test/ in it'
    )
    source = 'https://github.com/zifyloo/SSAN'
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(3_102, 34_674)},
        'test': {'gallery': Counts(1_000, 19_848)},
    }

    @classmethod
    def read_camera(cls, file_path: str) -> int:
        """Return MSMT17's camera, from 0; -1 for names in another format."""
        return msmt17_lists.read_camera(file_path)
