"""Features of the training set from before a stage: computed once, given to the model.

``init_features=dict(names=['v', 't'], pipeline=..., cache=...)`` in the config of a
stage. They are computed from what the ``pipeline`` makes of the training data, which
should leave nothing to chance, when the stage begins at its first step. A resumed run
has what the model made of them in its checkpoint, so it doesn't ask again: by then the
weights are others.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader

from hplreid.registry import DATASETS

from ..config.resolve import merge_config
from .feature_cache import Rows, extract_rows
from .stage import Stage
from .stage_dataloader import plain_loader


def initialize(
    model: Any,  # noqa: ANN401
    loader: DataLoader,
    stage: Stage,
    folder: str,
) -> None:
    """Compute a stage's ``init_features``, or read them, and give them to the model.

    They are kept in ``<stage>_init_features.safetensors``, in the folder ``cache`` or
    else in ``folder``, with a checksum of what they depend on. Several processes
    compute a share each; the first one reads and writes.

    Args:
        model: A method, not wrapped.
        loader: The stage's loader, for the size of batches.
        stage: The stage.
        folder: The run's work folder.
    """
    options = stage.init_features or {}
    names = list(options['names'])
    config = merge_config(
        stage.dataloader['dataset'], dict(pipeline=options['pipeline'])
    )
    dataset: Any = DATASETS.build(config)
    place = Path(options.get('cache') or folder)
    path = place / f'{stage.name}_init_features.safetensors'
    checksum = ''
    found: list[dict[str, Rows] | None] = [None]
    if is_main_process():
        checksum = checksum_of(model, names, dataset, config)
        found = [read_features(path, checksum, names)]
    broadcast_object_list(found)
    features = found[0]
    if features is None:
        features = extract_rows(
            model, plain_loader(dataset, loader, stage.dataloader), names
        )
        if is_main_process():
            write_features(path, checksum, features)
    labels = torch.from_numpy(dataset.labels)
    model.receive_features({n: (v, labels[at]) for n, (v, at) in features.items()})


def checksum_of(
    model: Any,  # noqa: ANN401
    names: Sequence[str],
    dataset: Any,  # noqa: ANN401
    config: dict[str, Any],
) -> str:
    """Return the SHA-256 of all that features depend on.

    That is the dataset's config, its items, size and time of each image file, and
    the weights of all parts that may make the features. The pixels aren't read.
    """
    said = json.dumps([list(names), config], sort_keys=True, default=str)
    digest = hashlib.sha256(said.encode())
    for position in range(len(dataset)):
        item = dataset.get_data_info(position)
        known = [item['img_path'], item['caption'], item['label']]
        digest.update(repr([*known, *_describe_file(item['img_path'])]).encode())
    for name, tensor in sorted(_weights_of(model, names).items()):
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        plain = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(plain.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _describe_file(path: str | None) -> tuple[int, ...]:
    if path is None or not os.path.exists(path):
        return ()
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _weights_of(model: Any, names: Sequence[str]) -> dict[str, Tensor]:  # noqa: ANN401
    """Return the weights of the model but of those parts that come after features."""
    unread = set(model.necks) - model.inputs_of(names)
    after = ('heads.', 'prototypes.', *(f'necks.{name}.' for name in unread))
    state = {k: v for k, v in model.state_dict().items() if not k.startswith(after)}
    # Mean and standard deviation of pixels, which no checkpoint holds
    return {**state, **dict(model.data_preprocessor.named_buffers())}


def read_features(
    path: Path, checksum: str, names: Sequence[str]
) -> dict[str, Rows] | None:
    """Return the features in a file; None, with a word on it, if it is of no use."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework='pt') as file:
            if (file.metadata() or {}).get('checksum') == checksum:
                print_log(f"Read {', '.join(names)} from '{path}'.", logger='current')
                return {
                    n: (file.get_tensor(n), file.get_tensor(f'{n}.items'))
                    for n in names
                }
        reason = 'is of other data or weights, by its checksum'
    except SafetensorError as error:
        reason = f"can't be read ({error})"
    print_log(f"'{path}' {reason}: computing {', '.join(names)}.", logger='current')
    return None


def write_features(path: Path, checksum: str, features: Mapping[str, Rows]) -> None:
    """Write a file that is either whole or not there."""
    tensors = {}
    for name, (values, items) in features.items():
        tensors.update({name: values.contiguous(), f'{name}.items': items})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    save_file(tensors, temporary, metadata={'checksum': checksum})
    os.replace(temporary, path)
    print_log(f"Kept {', '.join(features)} in '{path}'.", logger='current')
