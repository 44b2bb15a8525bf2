"""Compute features of the training set before a stage, and pass them to the model.

The config of a stage has ``init_features=dict(names=['v', 't'], pipeline=...,
cache=...)``. Before the first step of the stage the features are computed, from items
that ``pipeline`` makes; it should have no random transforms. A resumed run computes
none: the weights have changed, and what the model made of the features is in its
checkpoint.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader

from hplreid.registry import DATASETS
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.log import log

from ..config.resolve import merge_config
from ..sharding import gathered
from .feature_cache import FeatureRows, extract_feature_rows
from .stage import Stage
from .stage_dataloader import build_sequential_dataloader


def provide_init_features(
    model: Any,  # noqa: ANN401
    loader: DataLoader,
    stage: Stage,
    folder: str,
) -> None:
    """Compute or read the ``init_features`` of a stage and pass them to the model.

    They are saved in ``<stage>_init_features.safetensors``, in the folder ``cache`` or
    else in ``folder``, with a checksum of everything that they depend on. Each process
    computes a share; the first one reads and writes.

    Args:
        model: A method, not wrapped.
        loader: The dataloader of the stage, for the batch size.
        stage: The stage.
        folder: The work folder of the run.
    """
    options = stage.init_features or {}
    names = list(options['names'])
    config = merge_config(
        stage.dataloader['dataset'], dict(pipeline=options['pipeline'])
    )
    dataset: Any = DATASETS.build(config)
    cache = Path(options.get('cache') or folder)
    path = cache / f'{stage.name}_init_features.safetensors'
    checksum = ''
    cached: list[dict[str, FeatureRows] | None] = [None]
    weights = _weights_of(model, names)  # of shards every process has a part
    if is_main_process():
        checksum = compute_checksum(weights, names, dataset, config)
        cached = [read_features(path, checksum, names)]
    broadcast_object_list(cached)
    features = cached[0]
    if features is None:
        features = extract_feature_rows(
            model, build_sequential_dataloader(dataset, loader, stage.dataloader), names
        )
        if is_main_process():
            write_features(path, checksum, features)
    labels = torch.from_numpy(dataset.labels)
    with gathered(model, write=True):
        model.receive_features({n: (v, labels[at]) for n, (v, at) in features.items()})


def compute_checksum(
    weights: Mapping[str, Tensor],
    names: Sequence[str],
    dataset: Any,  # noqa: ANN401
    config: dict[str, Any],
) -> str:
    """Return the SHA-256 of everything that features depend on.

    That is the config of the dataset, its items, size and time of each image file, and
    the weights of all parts that may take part. Pixels aren't read.
    """
    description = json.dumps([list(names), config], sort_keys=True, default=str)
    digest = hashlib.sha256(description.encode())
    for position in range(len(dataset)):
        item = dataset.get_data_info(position)
        values = [item['img_path'], item['caption'], item['label']]
        digest.update(repr([*values, *_describe_file(item['img_path'])]).encode())
    for name, tensor in sorted(weights.items()):
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        plain = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(plain.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _describe_file(path: str | None) -> tuple[int, ...]:
    """Return size and modification time of a file; nothing if it doesn't exist."""
    if path is None or not os.path.exists(path):
        return ()
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _weights_of(model: Any, names: Sequence[str]) -> dict[str, Tensor]:  # noqa: ANN401
    """Return the weights of all parts that the features may depend on."""
    unused = set(model.necks) - model.inputs_of(names)
    excluded = ('heads.', 'prototypes.', *(f'necks.{name}.' for name in unused))
    state = {k: v for k, v in model.state_dict().items() if not k.startswith(excluded)}
    # Mean and standard deviation of pixels are in no state dict
    return {**state, **dict(model.data_preprocessor.named_buffers())}


def read_features(
    path: Path, checksum: str, names: Sequence[str]
) -> dict[str, FeatureRows] | None:
    """Return the features in a file, or None if it can't be used, which is logged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework='pt') as file:
            if (file.metadata() or {}).get('checksum') == checksum:
                log(f"Read {', '.join(names)} from '{path}'.")
                return {
                    n: (file.get_tensor(n), file.get_tensor(f'{n}.items'))
                    for n in names
                }
        reason = 'is of other data or weights, by its checksum'
    except SafetensorError as error:
        reason = f"can't be read ({error})"
    log(f"'{path}' {reason}: computing {', '.join(names)}.")
    return None


def write_features(
    path: Path, checksum: str, features: Mapping[str, FeatureRows]
) -> None:
    """Write features and their checksum to a file."""
    tensors = {}
    for name, (values, items) in features.items():
        tensors.update({name: values.contiguous(), f'{name}.items': items})
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={'checksum': checksum})
    log(f"Saved {', '.join(features)} in '{path}'.")
