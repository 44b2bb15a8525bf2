"""RSTPReid: captions of images from MSMT17, renamed."""

import os
import re
from typing import ClassVar

from hplreid.registry import DATASETS

from ..counts import Counts
from ..errors import AnnotationError
from .caption_annotations import AnnotationFormat
from .captioned_dataset import CaptionedDataset

_NAME_PATTERN = re.compile(r'[0-9]{1,9}_c([0-9]{1,3})_')


@DATASETS.register_module()
class RSTPReid(CaptionedDataset):
    """RSTPReid: five images of each of 4,101 identities, two captions for each image.

    The annotation stores image paths as ``img_path``; the camera (one of fifteen,
    counted from 0) is read from the file name.

    DSSL: Deep Surroundings-person Separation Learning for Text-based Person Retrieval
    (ACM MM 2021). Arguments are those of :class:`BaseReIDDataset`, items those of
    :class:`CaptionedDataset`.
    """

    benchmark = 'RSTPReid'
    splits = ('train', 'val', 'test')
    annotation_files = ('data_captions.json',)
    annotation_format = AnnotationFormat(splits, 'img_path', '0000_c14_0031.jpg')
    layout = 'data_captions.json and imgs/ with images such as 0000_c14_0031.jpg'
    source = 'https://github.com/NjtechCVLab/RSTPReid-Dataset'
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'train': {'train': Counts(3_701, 18_505)},
        'val': {'gallery': Counts(200, 1_000)},
        'test': {'gallery': Counts(200, 1_000)},
    }

    @classmethod
    def read_camera(cls, file_path: str) -> int:
        """See :meth:`CaptionedDataset.read_camera`."""
        match = _NAME_PATTERN.match(os.path.basename(file_path))
        if match is None or int(match[1]) < 1:
            raise AnnotationError(
                f"{cls.benchmark}: the name of image '{file_path}' has no camera. "
                'Expected <identity>_c<camera from 1>_<frame>, as in '
                f'{cls.annotation_format.example}.'
            )
        return int(match[1]) - 1
