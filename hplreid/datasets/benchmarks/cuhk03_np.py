"""CUHK03 with the new protocol."""

import os
from typing import Any, ClassVar

from hplreid.registry import DATASETS

from ..counts import Counts
from ..items import Pipeline
from .market1501 import Market1501

DETECTORS = ('labeled', 'detected')
_RAW_ARCHIVES = ('cuhk-03.mat', 'cuhk03_release/cuhk-03.mat')


@DATASETS.register_module()
class CUHK03NP(Market1501):
    """CUHK03-NP: CUHK03 with 767 training and 700 test identities, image to image.

    Each identity is seen by two cameras and has one query of each. Images are PNG files
    in Market-1501's layout and order, in ``labeled/`` or ``detected/``;
    ``tools/dataset_tools/convert_cuhk03.py`` makes these folders from the raw
    ``cuhk-03.mat``. The old protocol (1,367 and 100 identities) is not supported; its
    scores are not comparable.

    Re-ranking Person Re-identification with k-reciprocal Encoding (CVPR 2017).

    Args:
        data_root: The folder that holds ``labeled/`` and ``detected/``.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        detector: Boxes drawn by hand (``'labeled'``) or found by a detector
            (``'detected'``): two benchmarks whose scores are not comparable.
        **options: See :class:`BaseReIDDataset`.

    Raises:
        ValueError: The detector is unknown. Others: see :class:`BaseReIDDataset`.
    """

    benchmark = 'CUHK03-NP'
    example_name = '0001_c1_1.png'
    folders_location = 'in labeled/ and in detected/'
    source = 'https://github.com/zhunzhong07/person-re-ranking'
    published: ClassVar[dict[str, dict[str, Counts]]] = {
        'labeled train': {'train': Counts(767, 7_368)},
        'labeled test': {'query': Counts(700, 1_400), 'gallery': Counts(700, 5_328)},
        'detected train': {'train': Counts(767, 7_365)},
        'detected test': {'query': Counts(700, 1_400), 'gallery': Counts(700, 5_332)},
    }

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Pipeline = (),
        *,
        detector: str = 'labeled',
        **options: Any,
    ) -> None:
        self.detector = detector
        super().__init__(data_root, split, pipeline, **options)

    @property
    def layout_options(self) -> dict[str, Any]:
        """See :attr:`BaseReIDDataset.layout_options`."""
        return {'detector': self.detector}

    @property
    def published_counts(self) -> dict[str, Counts]:
        """See :attr:`BaseReIDDataset.published_counts`."""
        return self.published[f'{self.detector} {self.split}']

    def describe_layout(self) -> str:
        """See :meth:`BaseReIDDataset.describe_layout`."""
        return f'{self.detector} boxes'

    @classmethod
    def find_layout_problems(
        cls,
        data_root: str,
        split: str = 'train',
        detector: str = 'labeled',
        **options: Any,
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        Raises:
            ValueError: The split or the detector is unknown.
        """
        if detector not in DETECTORS:
            raise ValueError(f'detector must be one of {DETECTORS}, got {detector!r}.')
        problems = super().find_layout_problems(
            data_root, split, detector=detector, **options
        )
        archives = [
            name
            for name in _RAW_ARCHIVES
            if os.path.isfile(os.path.join(data_root, name))
        ]
        if problems and archives:
            problems.append(
                f"{cls.benchmark}: '{archives[0]}' in '{data_root}' is the raw "
                'archive: make the folders from it with '
                'tools/dataset_tools/convert_cuhk03.py.'
            )
        return problems

    @classmethod
    def find_image_root(
        cls,
        data_root: str,
        detector: str = 'labeled',
        **_: Any,  # noqa: ANN401
    ) -> str:
        """See :meth:`Market1501.find_image_root`."""
        return os.path.join(data_root, detector)
