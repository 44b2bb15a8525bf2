"""Export to ONNX: a folder with a graph of images and, for T2I, one of captions."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from hplreid.engine.results.fingerprints import hash_weights
from hplreid.utils.atomic_files import atomic_path
from hplreid.version import __version__

from ..preprocessing import describe_preprocessing
from ..publishing import inference_part
from ..trained_model import TrainedModel
from .errors import ExportError, import_extra
from .graphs import ImageGraph, TextGraph, make_captions, make_images

IMAGE_FILE, TEXT_FILE = 'image.onnx', 'text.onnx'
_RECORD = 'hplreid'
_BATCHES = (1, 3, 8)  # that are compared; the graph is traced with the second
_BOUND = 1e-4  # of L2-normalized features
_LEAST_TORCH = (2, 6)


def export_onnx(trained: TrainedModel, out: str | Path) -> list[str]:
    """Write a model's graphs, after both ways have computed the same features.

    ``image.onnx`` takes ``images``, uint8 ``(batch, 3, H, W)`` in RGB, resized, and
    ``camids`` if the model embeds cameras; normalization is in the graph. It gives
    ``i2i_feat`` and, of a model with a text tower, ``t2i_feat``, float32
    ``(batch, d)``, not normalized. ``text.onnx`` takes ``captions``, int64 token ids
    ``(batch, length)``, and gives ``t2i_feat``. Both have the inference config, the
    preprocessing and the hash of the weights in their metadata.

    Args:
        trained: The model, of :func:`.load_trained_model`.
        out: The folder. A graph of that name is replaced.

    Returns:
        A line for each file: its size, and how far its features are from PyTorch's.

    Raises:
        ExportError: PyTorch is older than 2.6, a package is missing, a part can't be
            exported, or its features differ by more than 1e-4.

    Example:
        >>> from hplreid.apis.trained_model import load_trained_model
        >>> trained = load_trained_model('tiny.safetensors')  # doctest: +SKIP
        >>> export_onnx(trained, 'exported')  # doctest: +SKIP
        ['exported/image.onnx: 10.9 MB, features within 2e-06 of PyTorch's (1, 3, 8 ...
    """
    _check_torch()
    import_extra('onnx')
    import_extra('onnxscript')
    import_extra('onnxruntime')
    record = _describe(trained)
    model: Any = trained.model.cpu().eval()
    image = ImageGraph(model).eval()
    size = _image_size(record)
    lines = [
        _write(
            image,
            Path(out) / IMAGE_FILE,
            lambda count: make_images(image, count, size),
            ('images', 'camids')[: 1 + image.embeds_cameras],
            image.outputs,
            record,
        )
    ]
    if hasattr(model, 'text_encoder'):
        tower = model.text_encoder
        length, words = tower.context_length, tower.token_table.shape[0]
        lines.append(
            _write(
                TextGraph(model).eval(),
                Path(out) / TEXT_FILE,
                lambda count: (make_captions(count, length, words),),
                ('captions',),
                ('t2i_feat',),
                record,
            )
        )
    return lines


def read_record(session: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what the metadata of a graph say of its model.

    Raises:
        ExportError: It isn't of this package.
    """
    found = session.get_modelmeta().custom_metadata_map.get(_RECORD)
    if found is None:
        raise ExportError(
            'The graph says nothing of its model: expected one that '
            'tools/deployment/export_onnx.py wrote.'
        )
    return json.loads(found)


def _check_torch() -> None:
    version = tuple(int(part) for part in torch.__version__.split('.')[:2])
    if version < _LEAST_TORCH:
        raise ExportError(
            f'PyTorch {torch.__version__} exports no graph of a batch of any size: '
            f'expected {".".join(map(str, _LEAST_TORCH))} or later.'
        )


def _describe(trained: TrainedModel) -> dict[str, Any]:
    config = inference_part(trained.config)
    return dict(
        cfg=config.pretty_text,
        preprocessing=describe_preprocessing(config),
        weights_sha256=hash_weights(trained.model),
        num_cameras=getattr(trained.model.image_encoder, 'num_cameras', 0),
        hplreid_version=__version__,
    )


def _image_size(record: dict[str, Any]) -> tuple[int, int]:
    for step in record['preprocessing']['steps']['i2i']:
        if 'size' in step:
            height, width = step['size']
            return height, width
    raise ExportError('The pipeline of the benchmarks has no ResizeImage with a size.')


def _write(
    graph: nn.Module,
    path: Path,
    make: Callable[[int], tuple],
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    record: dict[str, Any],
) -> str:
    onnx, runtime = import_extra('onnx'), import_extra('onnxruntime')
    batch = torch.export.Dim('batch', min=1, max=2**16)
    axes = {name: {0: batch} for name in names}
    if 'captions' in axes:
        longest = make(1)[0].shape[1]
        axes['captions'][1] = torch.export.Dim('length', min=3, max=longest)
    with _quiet():
        try:
            program = torch.onnx.export(
                graph,
                make(_BATCHES[1]),
                dynamo=True,
                dynamic_shapes=axes,
                input_names=list(names),
                output_names=list(outputs),
                verbose=False,
            )
        except Exception as error:  # whatever a foreign tower may raise
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise ExportError(
                f"{path.stem}: PyTorch can't export this model ({reason})."
            ) from error
    proto = cast(Any, program).model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = _RECORD, json.dumps(record)
    with atomic_path(path) as temporary:
        onnx.save(proto, temporary)
        session = runtime.InferenceSession(
            str(temporary), providers=['CPUExecutionProvider']
        )
        distance = max(
            _compare(graph, session, names, make(count)) for count in _BATCHES
        )
        if not distance <= _BOUND:
            raise ExportError(
                f'{path.stem}: features differ by {distance:.1e} from those of '
                f'PyTorch; expected at most {_BOUND:.0e}. Nothing was written.'
            )
    sizes = ', '.join(map(str, _BATCHES))
    return (
        f'{path}: {path.stat().st_size / 1e6:.1f} MB, features within {distance:.0e} '
        f"of PyTorch's (batches of {sizes})"
    )


@torch.no_grad()
def _compare(
    graph: nn.Module,
    session: Any,  # noqa: ANN401
    names: tuple[str, ...],
    given: tuple[Tensor, ...],
) -> float:
    """Return the largest difference of L2-normalized features."""
    expected = graph(*given)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    feed = {n: value.numpy() for n, value in zip(names, given, strict=True)}
    distances = [
        (normalize(torch.from_numpy(a), dim=1) - normalize(b, dim=1)).abs().max().item()
        for a, b in zip(session.run(None, feed), expected, strict=True)
    ]
    return float(np.max(distances))  # not a number, if one is


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on its own optimizations from the user."""
    loggers = [logging.getLogger(n) for n in ('onnxscript', 'onnx_ir', 'torch.onnx')]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
