"""An exported model, run by ONNX Runtime in the place of PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from hplreid.models.data_preprocessor import ReIDDataPreprocessor
from hplreid.models.reid.image_reid import write_features
from hplreid.structures import ReIDDataSample
from hplreid.utils.checkpoints.recorded_model import recorded_config

from ..trained_model import TrainedModel, check_names, make_default_scope
from .errors import ExportError, import_extra
from .export import IMAGE_FILE, TEXT_FILE, read_record


class OnnxModel(nn.Module):
    """The graphs of a folder, with the ``test_step`` of a method.

    It computes on the CPU, or on the GPU where ``onnxruntime-gpu`` is installed.

    Args:
        folder: What :func:`.export_onnx` wrote.

    Raises:
        ExportError: The folder has no exported model, one that is damaged, or graphs of
            different models; or ONNX Runtime isn't installed.

    Example:
        >>> OnnxModel('nowhere')
        Traceback (most recent call last):
        ...
        hplreid...ExportError: 'nowhere' has no image.onnx: expected the folder that ...
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._image = _open(Path(folder), IMAGE_FILE)
        self.record = read_record(self._image)
        if (Path(folder) / TEXT_FILE).is_file():
            self.text_encoder = _open(Path(folder), TEXT_FILE)
            of_text = read_record(self.text_encoder)
            if of_text['weights_sha256'] != self.record['weights_sha256']:
                raise ExportError(
                    f"'{folder}': {IMAGE_FILE} and {TEXT_FILE} are of different "
                    'models. Export one model to a folder of its own.'
                )
        self.image_encoder = SimpleNamespace(num_cameras=self.record['num_cameras'])
        # Pixels stay as they are: the graph normalizes
        self._collect = ReIDDataPreprocessor((0, 0, 0), (1, 1, 1), trim_captions=True)

    def encode(self, images: Tensor, camids: Tensor | None = None) -> dict[str, Tensor]:
        """Return ``i2i_feat`` and, for T2I, ``t2i_feat``, float32 ``(B, d)``.

        Args:
            images: uint8 ``(B, 3, H, W)``, RGB, at the size of the model.
            camids: Cameras ``(B,)`` int64; for a model that embeds them.
        """
        feed = {'images': images}
        if self.image_encoder.num_cameras and camids is not None:
            feed['camids'] = camids
        return _run(self._image, feed)

    @torch.no_grad()
    def test_step(self, data: dict[str, Any]) -> Sequence[ReIDDataSample]:
        """Return the samples of a batch with their features; see ``BaseModel``."""
        batch = self._collect(data)
        inputs, samples = batch['inputs'], batch['data_samples']
        if len(inputs['images']):
            pixels = (inputs['images'] * 255).round().clamp(0, 255).to(torch.uint8)
            for name, features in self.encode(pixels, inputs['camids']).items():
                write_features(samples, inputs['image_rows'], name, features)
        if len(inputs['captions']):
            found = _run(self.text_encoder, {'captions': inputs['captions']})
            rows = inputs['caption_rows']
            write_features(samples, rows, 't2i_feat', found['t2i_feat'])
        return samples


def is_exported(path: str | Path) -> bool:
    """Return whether a path is a folder of exported graphs.

    Example:
        >>> is_exported('nowhere')
        False
    """
    return (Path(path).expanduser() / IMAGE_FILE).is_file()


def load_exported(folder: str | Path) -> TrainedModel:
    """Load an exported model, with what its metadata say of it.

    Raises:
        ExportError: See :class:`OnnxModel`.
        CheckpointError: Its config names what is no component.

    Example:
        >>> load_exported('exported').model  # doctest: +SKIP
        OnnxModel()
    """
    folder = Path(folder).expanduser()
    model = OnnxModel(folder)
    config = Config(recorded_config(model.record))
    for part in ('model', 'test_dataloader', 'data_preprocessor'):
        check_names(config.get(part), str(folder))
    make_default_scope()
    return TrainedModel(model.eval(), config, model.record, str(folder))


def _open(folder: Path, name: str) -> Any:  # noqa: ANN401
    runtime = import_extra('onnxruntime')
    path = folder / name
    if not path.is_file():
        raise ExportError(
            f"'{folder}' has no {name}: expected the folder that "
            'tools/deployment/export_onnx.py wrote.'
        )
    try:
        return runtime.InferenceSession(
            str(path), providers=runtime.get_available_providers()
        )
    except Exception as error:  # ONNX Runtime's own have no common base
        raise ExportError(
            f"'{path}' is damaged, or no ONNX graph ({str(error).splitlines()[0]}). "
            'Export the model again.'
        ) from error


def _run(session: Any, feed: dict[str, Tensor]) -> dict[str, Tensor]:  # noqa: ANN401
    names = [output.name for output in session.get_outputs()]
    arrays = {name: value.cpu().numpy() for name, value in feed.items()}
    found = session.run(names, arrays)
    return {n: torch.from_numpy(value) for n, value in zip(names, found, strict=True)}
