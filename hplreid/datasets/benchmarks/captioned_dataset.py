"""The base class of the captioned benchmarks."""

import os
from abc import abstractmethod
from typing import Any, ClassVar

from ..base import BaseReIDDataset
from ..fault_collector import raise_or_collect
from ..images.image_files import check_images
from ..images.suffixes import with_suffix
from ..items import Item
from .caption_annotations import AnnotationFormat, Entry, read_entries


class CaptionedDataset(BaseReIDDataset):
    """A benchmark with images in ``imgs/`` and captions in a JSON file beside it.

    Split ``'train'`` has one item for each pair of image and caption. ``'val'`` and
    ``'test'`` have the images (gallery, without captions) followed by the captions
    (queries, without images). Images are sorted by path; the captions of an image keep
    the order of the file.
    """

    annotation_files: ClassVar[tuple[str, ...]]
    """File names that releases use for the annotation; the first existing is read."""
    annotation_format: ClassVar[AnnotationFormat]
    layout: ClassVar[str]
    """What ``data_root`` should hold, for messages."""
    source: ClassVar[str]
    """Where the authors distribute the dataset."""

    @classmethod
    @abstractmethod
    def read_camera(cls, file_path: str) -> int:
        """Return the camera (from 0) that an image path encodes; -1 if unknown.

        Raises:
            AnnotationError: The benchmark's paths encode the camera and this one
                doesn't.
        """

    @classmethod
    def find_annotation(cls, data_root: str) -> str | None:
        """Return the path of the annotation file, or None if it does not exist."""
        paths = [os.path.join(data_root, name) for name in cls.annotation_files]
        return next(filter(os.path.isfile, paths), None)

    @classmethod
    def find_layout_problems(
        cls,
        data_root: str,
        split: str = 'train',
        **_: Any,  # noqa: ANN401
    ) -> list[str]:
        """See :meth:`BaseReIDDataset.find_problems`."""
        cls.check_split(split)
        problems = cls.find_root_problem(data_root, cls.layout, cls.source)
        if problems:
            return problems
        images = os.path.join(data_root, 'imgs')
        if not os.path.isdir(images):
            problems.append(
                f"{cls.benchmark}: folder '{images}' does not exist. Expected "
                f'{cls.layout}: data_root is the folder that holds imgs/.'
            )
        return problems + cls.find_annotation_problems(data_root)

    @classmethod
    def find_annotation_problems(cls, data_root: str) -> list[str]:
        """Return a message if the annotation file does not exist."""
        if cls.find_annotation(data_root) is not None:
            return []
        path = os.path.join(data_root, cls.annotation_files[0])
        return [
            f"{cls.benchmark}: file '{path}' does not exist. Expected {cls.layout}. "
            f'Ask the authors for it ({cls.source}).'
        ]

    def describe_layout(self) -> str:
        """See :meth:`BaseReIDDataset.describe_layout`."""
        return os.path.basename(self._annotation)

    def load_items(self) -> list[Item]:
        """See :meth:`BaseReIDDataset.load_items`."""
        self._annotation = str(self.find_annotation(self.data_root))
        images = os.path.join(self.data_root, 'imgs')
        entries = [entry for entry in self._read_entries() if entry.split == self.split]
        # Captions break the tie between entries of an image that is listed twice
        entries.sort(key=lambda e: (e.file_path, e.pid, e.captions))
        with raise_or_collect():
            check_images(images, [e.file_path for e in entries], self._annotation)
        if self.split == 'train':
            return [
                self._item(e, 'train', images, caption)
                for e in entries
                for caption in e.captions
            ]
        gallery = [self._item(e, 'gallery', images) for e in entries]
        queries = [
            self._item(e, 'query', None, caption)
            for e in entries
            for caption in e.captions
        ]
        return gallery + queries

    def _read_entries(self) -> list[Entry]:
        entries = read_entries(self._annotation, self.annotation_format)
        if self.suffix is None:
            return entries
        return [
            entry._replace(file_path=with_suffix(entry.file_path, self.suffix))
            for entry in entries
        ]

    def _item(
        self, entry: Entry, split: str, images: str | None, caption: str | None = None
    ) -> Item:
        parts = entry.file_path.split('/')
        return {
            'img_path': None if images is None else os.path.join(images, *parts),
            'pid': entry.pid,
            'camid': self.read_camera(entry.file_path),
            'caption': caption,
            'split': split,
        }
