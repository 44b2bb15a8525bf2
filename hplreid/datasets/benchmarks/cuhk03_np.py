"""CUHK03 under the new protocol."""

import os
from typing import Any, ClassVar

from hplreid.registry import DATASETS

from ..counts import Counts
from ..items import Pipeline
from .market1501 import Market1501

DETECTORS = ('labeled', 'detected')
_RAW = ('cuhk-03.mat', 'cuhk03_release/cuhk-03.mat')


@DATASETS.register_module()
class CUHK03NP(Market1501):
    """CUHK03-NP: CUHK03 with 767 identities to train on and 700 to test on.

    Two cameras a person; one query of each. Market-1501's layout and order in
    ``labeled/`` or ``detected/``, as PNG. (The old protocol, 1,367 and 100 identities,
    gives other numbers and isn't offered.) From the raw ``cuhk-03.mat``,
    ``tools/dataset_tools/convert_cuhk03.py`` makes these folders.

    Re-ranking Person Re-identification with k-reciprocal Encoding (CVPR 2017).

    Args:
        data_root: The folder that holds ``labeled/`` and ``detected/``.
        split: ``'train'`` or ``'test'``.
        pipeline: Transforms, or configs of transforms.
        detector: Boxes drawn by hand (``'labeled'``) or found by a detector
            (``'detected'``): two benchmarks with numbers of their own.
        **options: See :class:`BaseReIDDataset`.

    Raises:
        ValueError: There is no such detector. Others: see :class:`BaseReIDDataset`.
    """

    benchmark = 'CUHK03-NP'
    example = '0001_c1_1.png'
    place = 'in labeled/ and in detected/'
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

    def describe(self) -> str:
        """See :meth:`BaseReIDDataset.describe`."""
        return f'{self.detector} boxes'

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        detector: str = 'labeled',
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`.

        Raises:
            ValueError: There is no such split or detector.
        """
        if detector not in DETECTORS:
            raise ValueError(f'detector must be one of {DETECTORS}, got {detector!r}.')
        problems = super().find_problems(data_root, split, detector=detector)
        raw = [name for name in _RAW if os.path.isfile(os.path.join(data_root, name))]
        if problems and raw:
            problems.append(
                f"{cls.benchmark}: '{raw[0]}' in '{data_root}' is the raw archive: "
                'make the folders from it with tools/dataset_tools/convert_cuhk03.py.'
            )
        return problems

    @classmethod
    def find_home(
        cls,
        data_root: str,
        detector: str = 'labeled',
        **_: Any,  # noqa: ANN401
    ) -> str:
        """See :meth:`Market1501.find_home`."""
        return os.path.join(data_root, detector)
