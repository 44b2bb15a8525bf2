"""What all datasets on disk share: reading, checking, labeling."""

import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from mmengine.logging import print_log

from .counts import Counts, compare_counts, count_images
from .errors import EmptySplitError, MissingDataError
from .fault_collector import tolerable
from .images.image_files import verify_images
from .items import Item, ItemDataset, Pipeline


class BaseReIDDataset(ItemDataset):
    """A dataset in a folder.

    Labels are the positions of identity numbers in their sorted list, so neither the
    order of files nor that of annotations matters.

    Args:
        data_root: The folder that holds it.
        split: One of ``splits``.
        pipeline: Transforms, or configs of transforms.
        name: Name of the data, if other than the benchmark's; each item carries it.
        expected: ``'published'`` to compare the counts with the published ones; None
            for data that only shares the layout.
        strict: Whether other counts are an error, not a warning.
        verify: Whether to decode every image now, and name all that can't be.

    Raises:
        MissingDataError: Folders or files are missing; the message says which.
        EmptySplitError: They are there, but hold nothing of this split.
        AnnotationError: Annotations or file names can't be understood.
        CountMismatchError: See ``strict``.
        UnreadableImageError: See ``verify``.
    """

    benchmark: ClassVar[str]
    """Name of the benchmark whose layout this class reads."""
    withdrawn: ClassVar[bool] = False
    """Whether its authors took it back."""
    own_numbers: bool = True
    """Whether ``pid`` is the number that the benchmark's owners gave; a copy in another
    layout may have numbered people anew."""
    splits: ClassVar[tuple[str, ...]]
    published: ClassVar[Mapping[str, Mapping[str, Counts]]]
    """Counts by split of the dataset, then by split of the items."""

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Pipeline = (),
        *,
        name: str | None = None,
        expected: str | None = 'published',
        strict: bool = False,
        verify: bool = False,
    ) -> None:
        if expected not in ('published', None):
            raise ValueError(f"expected must be 'published' or None, got {expected!r}.")
        problems = self.find_problems(
            data_root=data_root, split=split, **self.layout_options
        )
        with tolerable():
            if problems:
                raise MissingDataError('\n'.join(problems))
        self.data_root = data_root
        self.split = split
        self.name = name or self.benchmark
        items = self.load_items()
        if not items:
            raise EmptySplitError(
                f"{self.name}: split '{split}' of '{data_root}' is empty."
            )
        super().__init__(*self._label(items, pipeline))
        self.counts = count_images(items)
        if expected:
            published = self.published_counts
            compare_counts(f'{self.name} {split}', self.counts, published, strict)
        if verify:
            verify_images(i['img_path'] for i in items if i['img_path'] is not None)
        self._log()

    @property
    def layout_options(self) -> dict[str, Any]:
        """Arguments of a subclass that say what is read, as it was given them."""
        return {}

    @property
    def published_counts(self) -> Mapping[str, Counts]:
        """Published counts of what is read, by split of the items."""
        return self.published[self.split]

    def describe(self) -> str:
        """Say which of several layouts or releases was found; '' if there is one."""
        return ''

    def _log(self) -> None:
        text = '; '.join(f'{part} {count}' for part, count in self.counts.items())
        if self.has_caption.any():
            text += f', {int(self.has_caption.sum()):,} captions'
        found = f' ({which})' if (which := self.describe()) else ''
        print_log(f"{self.name}, split '{self.split}'{found}: {text}", logger='current')

    @abstractmethod
    def load_items(self) -> list[Item]:
        """Read the split, in its final order, without label, source and sample_idx."""

    @classmethod
    @abstractmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Say what keeps this config from working, for people, without much reading.

        Takes what the constructor takes. Nothing is built or decoded.

        Returns:
            A message for each thing that is missing: what, where, the layout expected
            and what to do. Empty if all is well.

        Raises:
            ValueError: There is no such split.
        """

    @classmethod
    def check_split(cls, split: str) -> None:
        """Raise ValueError unless the dataset has this split."""
        if split not in cls.splits:
            raise ValueError(
                f"{cls.benchmark} has no split '{split}': expected one of {cls.splits}."
            )

    @classmethod
    def find_root_problem(cls, data_root: str, layout: str, source: str) -> list[str]:
        """Return a message if the folder itself isn't there.

        Args:
            data_root: The folder.
            layout: What it should hold.
            source: Where its owners give it out.
        """
        if os.path.isdir(data_root):
            return []
        owner = (
            f'The dataset was withdrawn by its authors ({source}) and is no longer '
            'given out; it'
            if cls.withdrawn
            else f'The dataset is given out by its authors alone ({source}); it'
        )
        return [
            f"{cls.benchmark}: folder '{data_root}' does not exist. Expected {layout}. "
            f'{owner} is never downloaded by this program. Put it there, or set '
            'data_root.'
        ]

    def _label(
        self, items: list[Item], pipeline: Pipeline
    ) -> tuple[list[Item], Pipeline, dict[str, Any]]:
        pids = sorted({item['pid'] for item in items})
        train = self.split == 'train'
        label_of = {pid: label for label, pid in enumerate(pids)} if train else {}
        labeled = [
            dict(item, label=label_of.get(item['pid'], -1), source=self.name)
            for item in items
        ]
        metainfo = {
            'dataset_name': self.name,
            'split': self.split,
            'num_ids': len(pids),
            'label_of': label_of,
        }
        return labeled, pipeline, metainfo
