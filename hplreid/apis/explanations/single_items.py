"""A trained model for inference, and single images for it, outside of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from hplreid.datasets import (
    BaseReIDDataset,
    LoadImage,
    PackReIDInputs,
    ResizeImage,
    reid_collate,
)
from hplreid.models import BaseReID
from hplreid.registry import DATASETS, TRANSFORMS
from hplreid.utils.user_error import UserError

from ..preprocessing import find_pipeline
from ..trained_model import load_trained_model


@dataclass(frozen=True)
class SingleItems:
    """A model, and how its images are read.

    Attributes:
        model: In evaluation mode, with the checkpoint's weights.
        steps: The transforms that load and resize an image.
    """

    model: BaseReID
    steps: tuple[Any, ...]

    def read_images(
        self, paths: Sequence[str | Path], camids: Sequence[int] | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Read images as a test of the model does.

        Args:
            paths: Their files.
            camids: The camera of each, from 0. Defaults to -1, an unknown one.

        Returns:
            What the data preprocessor makes of them: ``images`` ``(B, 3, H, W)``,
            normalized, and ``camids`` ``(B,)`` among it, on the model's device; and
            their pixels, uint8 ``(B, 3, H, W)``.

        Raises:
            FileNotFoundError: An image doesn't exist.
            UnreadableImageError: It can't be decoded.
        """
        samples = []
        known = [-1] * len(paths) if camids is None else camids
        for number, (path, camid) in enumerate(zip(paths, known, strict=True)):
            item: Any = dict(
                img_path=str(path),
                caption=None,
                pid=-1,
                label=-1,
                camid=camid,
                source='single',
                split='query',
                sample_idx=number,
            )
            for step in (*self.steps, PackReIDInputs()):
                item = step(item)
            samples.append(item)
        preprocessor: Any = self.model.data_preprocessor
        inputs = preprocessor(reid_collate(samples))['inputs']
        return inputs, preprocessor.denormalize(inputs['images']).cpu()


def open_checkpoint(config: Config, checkpoint: str | Path) -> SingleItems:
    """Build a config's model for inference with the weights of a checkpoint.

    Args:
        config: The config, from :func:`.read_config`.
        checkpoint: The file of the weights.

    Raises:
        CheckpointError: The file can't be read, is of another method or architecture,
            or doesn't fit.
        FileNotFoundError: It doesn't exist.
        ConfigError: The model can't be built.
        PreprocessingError: The config has no benchmark, whose pipeline says how images
            are loaded.

    Example:
        >>> opened = open_checkpoint(config, 'final.safetensors')  # doctest: +SKIP
        >>> inputs, pixels = opened.read_images(['a.jpg'])  # doctest: +SKIP
    """
    trained = load_trained_model(config, checkpoint)
    steps = [TRANSFORMS.build(step) for step in find_pipeline(trained.config, 'i2i')]
    of_images = tuple(s for s in steps if isinstance(s, (LoadImage, ResizeImage)))
    return SingleItems(cast(BaseReID, trained.model), of_images)


def benchmarks_of(config: Config) -> dict[str, dict[str, Any]]:
    """Return the configs of a config's benchmark datasets, by name.

    Raises:
        UserError: It has none.

    Example:
        >>> dataset = dict(type='Market1501', pipeline=[])
        >>> loader = dict(market1501=dict(dataset=dataset))
        >>> benchmarks_of(Config(dict(test_dataloader=loader)))
        {'market1501': {'type': 'Market1501', 'pipeline': []}}
    """
    loaders = config.get('test_dataloader') or {}
    found = {
        name: dict(loader['dataset'])
        for name, loader in loaders.items()
        if isinstance(loader, dict) and 'dataset' in loader
    }
    if not found:
        raise UserError(
            f'{config.filename or "The config"} has no benchmark in test_dataloader, '
            'whose pipeline says how images are loaded.'
        )
    return found


def open_benchmark(config: Config, name: str) -> BaseReIDDataset:
    """Read a benchmark's annotations, without its pipeline.

    Args:
        config: The config.
        name: The benchmark's.

    Raises:
        UserError: There is none of this name.
        MissingDataError: Its files aren't there.
    """
    known = benchmarks_of(config)
    if name not in known:
        raise UserError(
            f"There is no benchmark '{name}': the config has {', '.join(known)}."
        )
    init_default_scope(config.get('default_scope', 'hplreid'))
    return DATASETS.build({**known[name], 'pipeline': []})
