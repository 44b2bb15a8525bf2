"""Features of images and captions by a trained model, and search with them."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.device import get_device
from torch import Tensor
from torch.nn.functional import normalize
from tqdm import tqdm

from hplreid.datasets import reid_collate
from hplreid.engine.loops.test_time_augmentation import TestTimeAugmentation
from hplreid.engine.precision import choose_precision
from hplreid.utils.argument_checks import check_one_of

from .deployment.onnx_model import is_exported, load_exported
from .inputs import (
    Captions,
    Images,
    ImageSource,
    InputError,
    iter_captions,
    iter_images,
)
from .model_names import TASK_NAMES
from .ordered_threads import map_ordered
from .preprocessing import build_steps, find_pipeline
from .queries import are_features, sort_queries
from .search_result import SearchResult, find_nearest
from .trained_model import Model, ModelError, load_trained_model

_FEATURES = {'i2i': 'i2i_feat', 't2i': 't2i_feat'}
_ITEM = dict(
    img_path=None, pid=-1, label=-1, camid=-1, caption=None, split='gallery',
    source='inference',
)  # fmt: skip


class ImageBatch(NamedTuple):
    """Features of some images of a stream.

    Attributes:
        names: Paths, or ``'image 3'`` of those in memory.
        features: Of each task asked for, float32 ``(B, d)``, L2-normalized.
        failures: Images that can't be read, and why; they have no row.
    """

    names: list[str]
    features: dict[str, np.ndarray]
    failures: dict[str, str]


class ReIDInferencer:
    """A trained model that encodes images and captions, and searches with them.

    Images are decoded in threads as in training, prepared as the model's config says
    for its benchmarks, and encoded as ``tools/test.py`` does, ``test_cfg.augment``
    included. (MMEngine's ``BaseInferencer`` isn't its base: that loads what fits of a
    file and leaves the rest random, and needs all inputs at once.)

    Args:
        model: A checkpoint or a published file alone, or the folder of a model that was
            exported to ONNX; or a config file, a config, or a name of
            :func:`.list_models`, with ``weights``.
        weights: See :func:`.get_model`.
        device: ``'auto'`` for a GPU if there is one; else a device of PyTorch.
        precision: ``'auto'`` for the quickest that the device computes natively, or
            ``'fp32'``, ``'bf16'`` or ``'fp16'``. ``tools/test.py`` scores in fp32.
        batch_size: Images or captions that are encoded at a time.
        workers: Threads that decode. Defaults to the number of cores, at most 8.
        progress: Whether to show a progress bar.

    Raises:
        ModelError: See :func:`.get_model`, as the next two.
        CheckpointError: The file can't be read, or doesn't fit.
        ConfigError: The config is wrong.
        PreprocessingError: The config doesn't say how images are prepared.
        ValueError: The precision or the device is unknown.

    Example:
        >>> from PIL import Image
        >>> inferencer = ReIDInferencer(
        ...     'clip_tiny_synthpeds-t2i_sdm', 'pretrained', progress=False
        ... )
        >>> red, blue = (Image.new('RGB', (64, 128), c) for c in ('red', 'blue'))
        >>> inferencer.embed_images([red, blue]).shape
        (2, 128)
        >>> found = inferencer.search('all in blue', [red, blue], topk=1)
        >>> found.indices.shape
        (1, 1)
    """

    def __init__(
        self,
        model: Model,
        weights: str | Path | None = None,
        device: str = 'auto',
        precision: str = 'auto',
        *,
        batch_size: int = 64,
        workers: int | None = None,
        progress: bool = True,
    ) -> None:
        if batch_size < 1 or (workers is not None and workers < 0):
            raise ValueError(
                f'batch_size={batch_size}, workers={workers}: expected 1 image at '
                'least, and no negative number of threads.'
            )
        self.device = torch.device(get_device() if device == 'auto' else device)
        self.precision = choose_precision(precision, self.device)
        if isinstance(model, str | Path) and is_exported(model):
            trained = load_exported(model)
        else:
            trained = load_trained_model(model, weights)
        self.config, self.meta = trained.config, trained.meta
        self.model: Any = trained.model.to(self.device)
        self.batch_size, self.progress = batch_size, progress
        self.workers = min(os.cpu_count() or 1, 8) if workers is None else workers
        augment = (self.config.get('test_cfg') or {}).get('augment')
        self._augmentation = TestTimeAugmentation(**(augment or {}))
        self._pipelines = {
            task: find_pipeline(self.config, task) for task in self.tasks
        }
        self._steps = {t: build_steps(p) for t, p in self._pipelines.items()}

    @property
    def tasks(self) -> tuple[str, ...]:
        """``'i2i'``, and ``'t2i'`` if the model reads captions."""
        return ('i2i', 't2i') if hasattr(self.model, 'text_encoder') else ('i2i',)

    def embed_images(
        self,
        images: Images,
        task: str = 'i2i',
        camids: int | Sequence[int] | None = None,
    ) -> np.ndarray:
        """Return features of images.

        Args:
            images: See :func:`.iter_images`.
            task: ``'i2i'`` to compare them with other images, ``'t2i'`` with captions:
                HPL has a class token for each.
            camids: The camera of each image, or of all, from 0; for models that embed
                cameras, which need it.

        Returns:
            Float32 ``(N, d)``, L2-normalized, in the order of the images (of a folder,
            see :func:`.list_images`).

        Raises:
            MissingDataError: An image doesn't exist.
            UnreadableImageError: One can't be decoded.
            InputError: Something is no image.
            ModelError: The model can't do the task, or needs cameras.
        """
        batches = self.encode_images(images, (task,), camids)
        return self._join([batch.features[task] for batch in batches])

    def encode_images(
        self,
        images: Images,
        tasks: Sequence[str] = ('i2i',),
        camids: int | Sequence[int] | None = None,
        strict: bool = True,
    ) -> Iterator[ImageBatch]:
        """Yield features of images in batches, as they come: for streams without end.

        Args:
            images: See :func:`.iter_images`.
            tasks: The tasks to have features for; each image is encoded once.
            camids: See :meth:`embed_images`.
            strict: Whether an image that can't be read is an error; else a batch names
                it among its ``failures``.

        Raises:
            MissingDataError: See :meth:`embed_images`, as for the others.
        """
        for task in tasks:
            self._check_task(task)
        first, *others = dict.fromkeys(tasks)
        if any(self._pipelines[t] != self._pipelines[first] for t in others):
            raise ModelError(
                f'The benchmarks of {tuple(tasks)} prepare images in different ways: '
                'encode them for one task at a time.'
            )
        sources: Iterable[ImageSource] = iter_images(images)
        total = None
        if not isinstance(images, Iterator):  # else they come one by one
            sources = listed = list(sources)
            total = len(listed)
        cameras = self._cameras(camids, total)

        def load(numbered: tuple[int, ImageSource]) -> tuple[ImageSource, Any]:
            number, source = numbered
            try:
                pixels = source.decode()
            except (ValueError, TypeError, OSError) as error:
                return source, error
            item = dict(_ITEM, img_path=source.name, camid=cameras(number))
            return source, self._prepare(first, {**item, 'image': pixels}, number)

        loaded = map_ordered(
            load, enumerate(sources), self.workers, 2 * self.batch_size
        )
        with self._bar(total, 'Images', 'img') as bar:
            for some in _in_batches(loaded, self.batch_size):
                failures = {s.name: _say(r) for s, r in some if _failed(r)}
                for _, result in some:
                    if strict and _failed(result):
                        raise result
                good = [(s, r) for s, r in some if not _failed(r)]
                feats = self._encode([r for _, r in good], (first, *others))
                bar.update(len(some))
                yield ImageBatch([s.name for s, _ in good], feats, failures)

    def embed_texts(self, captions: Captions) -> np.ndarray:
        """Return features of captions, to compare with those of images for ``'t2i'``.

        Args:
            captions: One, or an iterable of them. What is longer than the model reads
                is cut.

        Returns:
            Float32 ``(N, d)``, L2-normalized, in the order of the captions.

        Raises:
            InputError: A caption isn't text, or is empty.
            ModelError: The model reads no captions.
        """
        self._check_task('t2i')
        total = len(captions) if isinstance(captions, Sequence) else None
        features = []
        if isinstance(captions, str):
            total = 1
        numbered = enumerate(iter_captions(captions))
        with self._bar(total, 'Captions', 'it') as bar:
            for some in _in_batches(numbered, self.batch_size):
                samples = [
                    self._prepare('t2i', dict(_ITEM, caption=caption), number)
                    for number, caption in some
                ]
                features.append(self._encode(samples, ('t2i',))['t2i'])
                bar.update(len(some))
        return self._join(features)

    def search(
        self,
        queries: Images | Captions,
        gallery: Images | np.ndarray,
        topk: int = 10,
        task: str | None = None,
    ) -> SearchResult:
        """Find the gallery images that are nearest to each query.

        Args:
            queries: Captions, or images (see :func:`.iter_images`). A text is an image
                if a file of that name exists, or if it ends like one.
            gallery: Images; or their features, float ``(N, d)``, of
                :meth:`embed_images` for the same task.
            topk: Images to find; at most as many as the gallery has.
            task: Defaults to ``'t2i'`` for captions and ``'i2i'`` for images.

        Returns:
            Positions in the gallery and cosine similarities, nearest first; it has
            ``draw``.

        Raises:
            InputError: Queries are captions and images at once, or none; the gallery
                is empty, or has features of another length.
            MissingDataError: See :meth:`embed_images`, as for the others.
        """
        given, is_text = sort_queries(queries)
        task = task or ('t2i' if is_text else 'i2i')
        self._check_task(task)
        if is_text and task != 't2i':
            raise InputError(
                f"task='{task}' compares images, and the queries are captions."
            )
        listed: list[Any] = list(given) if is_text else list(iter_images(given))
        embed = self.embed_texts if is_text else partial(self.embed_images, task=task)
        wanted = embed(listed)
        images = None if are_features(gallery) else list(iter_images(gallery))
        if images is None:
            feats = np.asarray(gallery, dtype=np.float32)
        else:
            feats = self.embed_images(images, task)
        return SearchResult(listed, *find_nearest(wanted, feats, topk), images)

    def _check_task(self, task: str) -> None:
        check_one_of('task', task, tuple(TASK_NAMES))
        if task not in self.tasks:
            raise ModelError(
                f"{type(self.model).__name__} has no text tower: task='{task}' needs a "
                "model that reads captions, of hplreid.list_models(task='t2i')."
            )

    def _cameras(
        self, camids: int | Sequence[int] | None, total: int | None
    ) -> Callable[[int], int]:
        """Return a function from the number of an image to its camera."""
        known = getattr(self.model.image_encoder, 'num_cameras', 0)
        if not known:
            return lambda number: -1
        if camids is None:
            raise ModelError(
                f'This model embeds {known} cameras, so that it needs the camera of '
                f'each image: camids=0 to {known - 1}, one number or one an image.'
            )
        each = [camids] if isinstance(camids, int) else list(camids)
        if strange := [c for c in each if not 0 <= c < known]:
            raise ModelError(
                f'camids has {strange[0]}: this model embeds the cameras 0 to '
                f'{known - 1}.'
            )
        if isinstance(camids, int):
            return lambda number: camids
        if total not in (None, len(each)):
            raise ModelError(f'camids has {len(each)} cameras, for {total} images.')
        return each.__getitem__

    def _prepare(self, task: str, item: dict[str, Any], number: int) -> dict[str, Any]:
        sample: Any = {**item, 'sample_idx': number}
        for step in self._steps[task]:
            sample = step(sample)
        return sample

    @torch.no_grad()
    def _encode(
        self, samples: list[dict[str, Any]], tasks: Sequence[str]
    ) -> dict[str, np.ndarray]:
        if not samples:
            return {task: np.empty((0, 0), dtype=np.float32) for task in tasks}
        with self.precision.autocast():
            found = self._augmentation.run(self.model.test_step, reid_collate(samples))
        return {
            task: _normalized([sample.get(_FEATURES[task]) for sample in found])
            for task in tasks
        }

    def _join(self, features: list[np.ndarray]) -> np.ndarray:
        if not features:
            raise InputError('There is nothing to encode: expected one item at least.')
        return np.concatenate(features)

    def _bar(self, total: int | None, title: str, unit: str) -> tqdm:
        return tqdm(total=total, desc=title, unit=unit, disable=not self.progress)


def _in_batches(stream: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(stream)
    while some := list(islice(iterator, size)):
        yield some


def _failed(result: Any) -> bool:  # noqa: ANN401
    return isinstance(result, Exception)


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__


def _normalized(features: list[Tensor]) -> np.ndarray:
    return normalize(torch.stack(features).float(), dim=1).numpy()
