"""The base class of all datasets that are read from disk: checking and labeling."""

import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from hplreid.utils.log import log

from .counts import Counts, compare_counts, count_images, list_repeated
from .errors import EmptySplitError, MissingDataError
from .fault_collector import raise_or_collect
from .images.image_files import verify_images
from .images.suffixes import check_suffix
from .items import Item, ItemDataset, Pipeline
from .subfolders import list_subfolders


class BaseReIDDataset(ItemDataset):
    """A dataset that is read from a folder on disk.

    Labels are the positions of identity numbers in their sorted list, so they depend
    neither on the order of files nor on that of annotations.

    Args:
        data_root: Folder of the dataset.
        split: One of ``splits``.
        pipeline: Transforms, or configs of transforms.
        name: Name of the dataset, stored in each item as ``source``. Defaults to the
            benchmark's.
        expected: ``'published'`` to compare the counts with the published ones; None
            for data that only shares the layout.
        strict: Whether differing counts are an error instead of a warning.
        verify: Whether to decode every image now and list all unreadable ones.
        suffix: Ending of the image files, where it isn't the benchmark's: ``'.png'``
            for a copy converted to PNG. Names in annotations and lists are read with
            it, too.

    Raises:
        MissingDataError: Folders or files are missing; the message says which.
        EmptySplitError: Folders and files exist, but the split is empty.
        AnnotationError: Annotations or file names are invalid.
        CountMismatchError: See ``strict``.
        UnreadableImageError: See ``verify``.
    """

    benchmark: ClassVar[str]
    """Name of the benchmark whose layout this class reads."""
    withdrawn: ClassVar[bool] = False
    """Whether its authors withdrew it."""
    original_pids: bool = True
    """Whether ``pid`` is the number that the benchmark's owners gave; copies in another
    layout may be renumbered."""
    splits: ClassVar[tuple[str, ...]]
    """Splits that the benchmark defines."""
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
        suffix: str | None = None,
    ) -> None:
        if expected not in ('published', None):
            raise ValueError(f"expected must be 'published' or None, got {expected!r}.")
        self.suffix = suffix
        problems = self.find_problems(
            data_root=data_root, split=split, suffix=suffix, **self.layout_options
        )
        with raise_or_collect():
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
        """Return the arguments of a subclass that :meth:`find_problems` needs."""
        return {}

    @property
    def published_counts(self) -> Mapping[str, Counts]:
        """Return the published counts of this split, by split of the items."""
        return self.published[self.split]

    def describe_layout(self) -> str:
        """Return which of several layouts or releases is read; '' if there is one."""
        return ''

    def _log(self) -> None:
        text = '; '.join(f'{part} {count}' for part, count in self.counts.items())
        if self.has_caption.any():
            text += f', {int(self.has_caption.sum()):,} captions'
        if again := str(list_repeated(self._items)):
            text += f', {again}'
        layout = f' ({which})' if (which := self.describe_layout()) else ''
        log(f"{self.name}, split '{self.split}'{layout}: {text}")

    @abstractmethod
    def load_items(self) -> list[Item]:
        """Read the items in their final order, without label, source and sample_idx."""

    @classmethod
    def find_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **options: Any,
    ) -> list[str]:
        """Return messages about missing folders and files, without building anything.

        Accepts the arguments of the constructor. No image is decoded.

        Returns:
            One message for each missing folder or file: what is missing, where, the
            expected layout and what to do. If a sub-folder is the dataset, as where an
            archive was unpacked into a folder of its own name, one message that names
            it. Empty if nothing is missing.

        Raises:
            ValueError: The split or the suffix does not exist.
        """
        check_suffix(options.get('suffix'))
        problems = cls.find_layout_problems(data_root, split, **options)
        if not problems or not os.path.isdir(data_root):
            return problems
        for folder in list_subfolders(data_root):
            if not cls.find_layout_problems(folder, split, **options):
                return [
                    f"{cls.benchmark}: '{data_root}' is not the dataset, but its "
                    f"sub-folder is: set data_root='{folder}'."
                ]
        return problems

    @classmethod
    def find_layout_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return what :meth:`find_problems` does, of this very folder."""
        raise NotImplementedError

    @classmethod
    def check_split(cls, split: str) -> None:
        """Raise ValueError unless the dataset has this split."""
        if split not in cls.splits:
            raise ValueError(
                f"{cls.benchmark} has no split '{split}': expected one of {cls.splits}."
            )

    @classmethod
    def find_root_problem(cls, data_root: str, layout: str, source: str) -> list[str]:
        """Return a message if ``data_root`` does not exist.

        Args:
            data_root: Folder of the dataset.
            layout: What the folder should hold.
            source: Where its owners distribute the dataset.
        """
        if os.path.isdir(data_root):
            return []
        owner = (
            f'The dataset was withdrawn by its authors ({source}) and is no longer '
            'distributed; it'
            if cls.withdrawn
            else f'The dataset is only distributed by its authors ({source}); it'
        )
        return [
            f"{cls.benchmark}: folder '{data_root}' does not exist. Expected {layout}. "
            f'{owner} is never downloaded automatically. Put it there, or set '
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
