"""Finding, reading and loading of CLIP weights: safe, logged, never silently random.

Layouts that are understood: OpenAI and open_clip state dicts (flat, or with the text
tower under ``text.``), OpenAI's own TorchScript archive, the IRRA family, LUPerson-MLLM
among it (``{'model': {'base_model.visual...'}}``), and checkpoints of this code base.
"""

import pickle
import warnings
from pathlib import Path

import torch
from mmengine.logging import MMLogger
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from torch import Tensor, nn

from hplreid.utils.user_error import UserError

from .arch import ASSETS, get_arch

# Weights that ship with the package: tag -> (architecture, file)
SHIPPED = {
    'synthpeds': ('ViT-Ti-16-synthpeds', ASSETS / 'vit_ti_16_synthpeds.safetensors')
}
_SUFFIXES = {'.pt', '.pth', '.bin', '.safetensors'}


class WeightsError(UserError, ValueError):
    """Weights are missing, unreadable, or not for this architecture."""


def find_weights(arch: str, pretrained: str) -> Path:
    """Return the local file of a path, a shipped tag or an open_clip tag.

    Nothing is downloaded: a tag must be in the cache, where
    ``tools/model_converters/fetch_weights.py`` puts it.

    Args:
        arch: open_clip name of the architecture.
        pretrained: A file, ``'synthpeds'``, or an open_clip tag such as ``'openai'``.

    Raises:
        WeightsError: There is no such file or tag, the tag is not in the cache, or it
            was trained with the other GELU.

    Example:
        >>> from hplreid.models.backbones import find_weights
        >>> find_weights('ViT-Ti-16-synthpeds', 'synthpeds').name
        'vit_ti_16_synthpeds.safetensors'
    """
    quick_gelu = get_arch(arch).get('quick_gelu', False)
    if Path(pretrained).suffix in _SUFFIXES or '/' in pretrained:
        path = Path(pretrained).expanduser()
        if not path.is_file():
            raise WeightsError(
                f"Weights pretrained='{pretrained}' not found. Expected a file "
                f'with one of the endings {sorted(_SUFFIXES)}.'
            )
        return path
    if pretrained in SHIPPED:
        made_for, path = SHIPPED[pretrained]
        if arch != made_for:
            raise WeightsError(
                f"Weights '{pretrained}' are for arch='{made_for}', not '{arch}'."
            )
        return path
    tag = get_pretrained_cfg(arch.removesuffix('-quickgelu'), pretrained)
    tag = tag or get_pretrained_cfg(arch, pretrained)
    if not tag:
        tags = sorted({*list_pretrained_tags_by_model(arch), *_shipped_tags(arch)})
        raise WeightsError(
            f"No weights '{pretrained}' for arch='{arch}'. Known tags: "
            f'{", ".join(tags) or "none"}; or give the path of a file.'
        )
    if tag.get('quick_gelu', False) != quick_gelu:
        kind = 'QuickGELU' if not quick_gelu else 'plain GELU'
        other = arch.removesuffix('-quickgelu') if quick_gelu else f'{arch}-quickgelu'
        raise WeightsError(
            f"Weights '{pretrained}' were trained with {kind}: use arch='{other}' "
            f"instead of '{arch}'."
        )
    cached = _cached_file(tag)
    if cached is None:
        raise WeightsError(
            f"Weights '{pretrained}' of {arch} are not on this machine. Fetch them "
            'once with `python tools/model_converters/fetch_weights.py '
            f'{arch} {pretrained}`, or give a local file with '
            '`--cfg-options model.image_encoder.pretrained=/path/to/file`.'
        )
    return cached


def _shipped_tags(arch: str) -> list[str]:
    return [tag for tag, (made_for, _) in SHIPPED.items() if made_for == arch]


def _cached_file(tag: dict) -> Path | None:
    """Where open_clip has put a tag's file, if it has."""
    if tag.get('url'):
        path = Path('~/.cache/clip').expanduser() / tag['url'].rsplit('/', 1)[-1]
        if path.is_file():
            return path
    if tag.get('hf_hub'):
        from huggingface_hub import try_to_load_from_cache

        repo, _, name = tag['hf_hub'].rpartition('/')
        for filename in [name] if name else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]:
            cached = try_to_load_from_cache(repo, filename)
            if isinstance(cached, str):
                return Path(cached)
    return None


def read_weights(arch: str, pretrained: str) -> tuple[Path, dict[str, Tensor]]:
    """Find and read weights for an architecture.

    Returns:
        The file, and its state dict with open_clip's flat names.

    Raises:
        WeightsError: See :func:`find_weights` and :func:`read_state_dict`; or the
            file's layout is only ever trained with QuickGELU and ``arch`` has none.
    """
    path = find_weights(arch, pretrained)
    state, quick_gelu_only = read_state_dict(path)
    if quick_gelu_only and not get_arch(arch).get('quick_gelu', False):
        raise WeightsError(
            f"{path} was trained with QuickGELU: use arch='{arch}-quickgelu'."
        )
    return path, state


def read_state_dict(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Read a file of weights without executing anything in it.

    Returns:
        The state dict with open_clip's flat names (``visual.conv1.weight``,
        ``token_embedding.weight``, ...) in fp32, and whether the layout is one that is
        only ever trained with QuickGELU.

    Raises:
        WeightsError: The file holds no CLIP in a known layout.

    Example:
        >>> from hplreid.models.backbones import find_weights, read_state_dict
        >>> path = find_weights('ViT-Ti-16-synthpeds', 'synthpeds')
        >>> state, quick_gelu = read_state_dict(path)
        >>> state['token_embedding.weight'].shape
        torch.Size([49408, 96])
    """
    state: dict
    quick_gelu_only = False
    if path.suffix == '.safetensors':
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state, quick_gelu_only = _read_pickle_or_script(path)
    for key in ('state_dict', 'model'):
        inner = state.get(key)
        if isinstance(inner, dict):
            state = inner
    flat = {_flat_name(k): v.float() for k, v in state.items() if torch.is_tensor(v)}
    if 'visual.conv1.weight' not in flat and 'visual.layer1.0.conv1.weight' not in flat:
        raise WeightsError(
            f'{path} holds no CLIP that is known here: no visual.conv1.weight under '
            f'any known prefix. Its first keys: {list(state)[:5]}.'
        )
    quick_gelu_only |= any(k.startswith('base_model.') for k in state)
    return flat, quick_gelu_only


def _read_pickle_or_script(path: Path) -> tuple[dict, bool]:
    """Read a state dict or OpenAI's TorchScript archive; True for the latter."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch's word that it sees a TorchScript file
        try:
            content = torch.load(path, map_location='cpu', weights_only=True)
            if isinstance(content, torch.jit.ScriptModule):  # by torch 2.4
                return content.state_dict(), True
            return content, False
        except (RuntimeError, ValueError, pickle.UnpicklingError, EOFError) as error:
            try:
                return torch.jit.load(path, map_location='cpu').state_dict(), True
            except (RuntimeError, ValueError):
                raise WeightsError(
                    f'{path} can be read neither as safetensors, nor as a state dict '
                    'of tensors, nor as TorchScript: it is damaged, or holds objects '
                    'that could execute code.'
                ) from error


def _flat_name(key: str) -> str:
    """Name of a weight in open_clip's flat layout."""
    for prefix in ('module.', 'base_model.'):
        key = key.removeprefix(prefix)
    if key.startswith('image_encoder.'):
        return key.removeprefix('image_encoder.')
    for prefix in ('text_encoder.text.', 'text.'):
        if key.startswith(prefix):
            return key.removeprefix(prefix)
    return key


def load_tower(
    tower: nn.Module,
    state: dict[str, Tensor],
    *,
    name: str,
    source: str | Path,
    notes: list[str],
) -> None:
    """Copy ``state`` into ``tower`` and log what was loaded, skipped and changed.

    Args:
        tower: Module whose names match the state dict's.
        state: Flat names to tensors. Everything that the tower has must be in it; what
            the tower lacks (the other tower, say) is skipped.
        name: What to call the tower in the log.
        source: Where the weights come from, for the log.
        notes: What was changed on the way, a line each.

    Raises:
        WeightsError: A weight is missing or has another shape.
    """
    own = tower.state_dict()
    missing = [k for k in own if k not in state]
    wrong = [
        f'{k}: {tuple(state[k].shape)} in the file, {tuple(v.shape)} in the model'
        for k, v in own.items()
        if k in state and state[k].shape != v.shape
    ]
    if missing or wrong:
        raise WeightsError(
            f'{source} does not fit {name}.\n  missing: {missing[:8] or "none"}'
            f'\n  other shape: {wrong[:8] or "none"}'
        )
    tower.load_state_dict({k: state[k] for k in own})
    logger = MMLogger.get_current_instance()
    logger.info(
        f'{name}: loaded all {len(own)} tensors from {source}; '
        f'skipped {len(state) - len(own)} of other parts'
    )
    for note in notes:
        logger.info(f'{name}: {note}')
