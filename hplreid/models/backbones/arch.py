"""Architectures by open_clip name, and empty towers of them."""

from pathlib import Path

import open_clip
from open_clip.model import _build_text_tower, _build_vision_tower
from open_clip.transformer import TextTransformer
from torch import nn

ASSETS = Path(__file__).parents[2] / 'assets'
open_clip.add_model_config(ASSETS)


def get_arch(name: str) -> dict:
    """Return open_clip's configuration of an architecture.

    Raises:
        ValueError: open_clip knows no such name, or its towers are not plain CLIP
            (timm and Hugging Face towers can't take class tokens or prompts).
    """
    config = open_clip.get_model_config(name)
    if config is None:
        known = ', '.join(n for n in open_clip.list_models() if n.startswith('ViT'))
        raise ValueError(
            f"Unknown architecture arch='{name}'. Expected an open_clip name: {known}."
        )
    if 'timm_model_name' in config['vision_cfg'] or 'hf_model_name' in config.get(
        'text_cfg', {}
    ):
        raise ValueError(
            f"arch='{name}' has timm or Hugging Face towers; expected a plain CLIP "
            "architecture such as 'ViT-B-16-quickgelu'."
        )
    return config


def build_vision_tower(name: str, img_size: tuple[int, int]) -> nn.Module:
    """Build open_clip's vision tower with random weights for ``img_size`` (H, W)."""
    config = get_arch(name)
    vision = {**config['vision_cfg'], 'image_size': tuple(img_size)}
    return _build_vision_tower(
        config['embed_dim'], vision, config.get('quick_gelu', False)
    )


def build_text_tower(name: str) -> TextTransformer:
    """Build open_clip's text tower with random weights."""
    config = get_arch(name)
    return _build_text_tower(
        config['embed_dim'], config['text_cfg'], config.get('quick_gelu', False)
    )
