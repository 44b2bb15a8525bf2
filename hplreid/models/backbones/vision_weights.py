"""Weights of towers other than CLIP: a local file, or a library's cache."""

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import timm
import torch
import torchvision
from torch import Tensor

from hplreid.utils.checkpoints.checkpoint import (
    CheckpointError,
    MissingCheckpointError,
    read_checkpoint,
)
from hplreid.utils.checkpoints.names import strip_wrappers

from .weights import WeightsError

_SUFFIXES = ('.pth', '.pt', '.bin', '.safetensors')


def find_timm_weights(arch: str, pretrained: str) -> Path:
    """Return the local file of a path or of one of timm's tags.

    Nothing is downloaded: a tag must be in the cache of the Hugging Face hub or of
    torch.hub.

    Args:
        arch: timm name of the architecture, ``'vit_base_patch16_224'`` say.
        pretrained: A file; a tag, ``'orig_in21k_ft_in1k'``; or timm's whole name of
            weights that were made for a relative of ``arch``,
            ``'deit_base_distilled_patch16_224.fb_in1k'``.

    Raises:
        WeightsError: There is no such file or tag, or the tag is not in the cache.
    """
    if _names_a_file(pretrained):
        return _find_file(pretrained)
    name = pretrained if '.' in pretrained else f'{arch}.{pretrained}'
    try:
        tag = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError as error:
        known = [n.partition('.')[2] for n in timm.list_pretrained(f'{arch}.*')]
        raise WeightsError(
            f"timm knows no weights '{name}'. Its tags of arch='{arch}': "
            f'{", ".join(known) or "none"}; or give the path of a file.'
        ) from error
    assert tag is not None  # what it doesn't know it raises for
    path = _cached_download(tag.url) or _cached_on_hub(tag.hf_hub_id)
    if path is None:
        raise WeightsError(
            _not_here(
                name, f"import timm; timm.create_model('{name}', pretrained=True)"
            )
        )
    return path


def find_torchvision_weights(arch: str, pretrained: str) -> Path:
    """Return the local file of a path or of the name of torchvision's weights.

    Nothing is downloaded: named weights must be in the cache of torch.hub.

    Args:
        arch: torchvision name of the architecture, ``'resnet50'`` say.
        pretrained: A file, or a name such as ``'IMAGENET1K_V1'``.

    Raises:
        WeightsError: There is no such file or name, or it is not in the cache.
    """
    if _names_a_file(pretrained):
        return _find_file(pretrained)
    known = torchvision.models.get_model_weights(arch).__members__
    if pretrained not in known:
        raise WeightsError(
            f"torchvision knows no weights '{pretrained}' of arch='{arch}': expected "
            f'one of {", ".join(known)}, or the path of a file.'
        )
    path = _cached_download(known[pretrained].url)
    if path is None:
        command = (
            f"import torchvision; torchvision.models.get_model('{arch}', "
            f"weights='{pretrained}')"
        )
        raise WeightsError(_not_here(f'{arch} {pretrained}', command))
    return path


def read_vision_state(path: Path, tower: str) -> dict[str, Tensor]:
    """Read a state dict, maybe one under ``model`` or ``state_dict``, as float32.

    Nothing in the file is executed.

    Args:
        path: The file. Of a model of this code base its image tower is taken.
        tower: The name that the tower has there, inside ``image_encoder``.

    Raises:
        WeightsError: The file can't be read so, or holds no tensors.
    """
    try:
        state: Any = read_checkpoint(path)
    except (CheckpointError, MissingCheckpointError) as error:
        raise WeightsError(str(error)) from error
    for key in ('state_dict', 'model'):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    items = state.items() if isinstance(state, dict) else ()
    tensors = {strip_wrappers(k): v for k, v in items if torch.is_tensor(v)}
    if not tensors:
        raise WeightsError(f'{path} holds no state dict, but a {type(state).__name__}.')
    prefix = f'image_encoder.{tower}.'
    if any(name.startswith(prefix) for name in tensors):
        tensors = {name.removeprefix(prefix): v for name, v in tensors.items()}
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}


def describe_skipped(names: list[str]) -> list[str]:
    """Return a log line about weights of a file that a tower doesn't use."""
    return [f'not used: {", ".join(names)}'] if names else []


def _names_a_file(pretrained: str) -> bool:
    return '/' in pretrained or Path(pretrained).suffix in _SUFFIXES


def _find_file(pretrained: str) -> Path:
    path = Path(pretrained).expanduser()
    if not path.is_file() or path.suffix not in _SUFFIXES:
        raise WeightsError(
            f"Weights pretrained='{pretrained}' not found. Expected a file with one "
            f'of the endings {list(_SUFFIXES)}.'
        )
    return path


def _not_here(name: str, command: str) -> str:
    return (
        f'The weights {name} are not on this machine. Fetch them once with '
        f'`python -c "{command}"`, or give a local file with '
        '`--cfg-options model.image_encoder.pretrained=/path/to/file`.'
    )


def _cached_download(url: str | tuple[str, str] | None) -> Path | None:
    """Where torch.hub has put the file of an address, if it has."""
    if not isinstance(url, str):
        return None
    name = Path(urlparse(url).path).name
    path = Path(torch.hub.get_dir()) / 'checkpoints' / name
    return path if path.suffix in _SUFFIXES and path.is_file() else None


def _cached_on_hub(repo: str | None) -> Path | None:
    """Where the Hugging Face hub's client has put the weights of a repository."""
    from huggingface_hub import try_to_load_from_cache

    if repo is None:
        return None
    for name in ('model.safetensors', 'pytorch_model.bin'):
        cached = try_to_load_from_cache(repo, name)
        if isinstance(cached, str):
            return Path(cached)
    return None
