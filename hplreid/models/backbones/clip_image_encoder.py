"""CLIP's vision transformer at any image size and stride, with all tokens projected."""

from pathlib import Path

import torch
from mmengine.model import BaseModule
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from hplreid.registry import BACKBONES

from ..layers import guess_grid, resize_position_embedding
from .arch import build_vision_tower
from .weights import find_weights, load_tower, read_weights


@BACKBONES.register_module()
class CLIPImageEncoder(BaseModule):
    """E_v with CLIP's single class token ``v``.

    Args:
        arch: open_clip name of the architecture, ``'ViT-B-16-quickgelu'`` say.
        pretrained: A file, a shipped or an open_clip tag (see :func:`find_weights`);
            None for random weights.
        img_size: Height and width in pixels.
        stride: Step of the patches in pixels, less than the patch size for patches
            that overlap. Defaults to the patch size.
        pretrained_grid: Rows and columns of the patch positions in the weights, where
            they can't be guessed (see :func:`guess_grid`).

    Raises:
        ValueError: ``arch`` has no plain vision transformer.
        WeightsError: The weights are missing or don't fit.
    """

    class_names: tuple[str, ...] = ('v',)

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        img_size: tuple[int, int] = (384, 128),
        stride: int | None = None,
        pretrained_grid: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        visual = build_vision_tower(arch, img_size)
        if not isinstance(visual, VisionTransformer):
            raise ValueError(f"arch='{arch}' has no vision transformer.")
        self.visual = visual
        self.width = visual.conv1.out_channels
        self.embed_dim = visual.output_dim
        self.grid = self._set_stride(img_size, stride)
        if pretrained is not None:
            self._load(*read_weights(arch, pretrained), pretrained_grid)

    @classmethod
    def find_problems(
        cls, arch: str, pretrained: str | None = None, **_: object
    ) -> list[str]:
        """Return what would stop this tower from being built, checked in no time."""
        try:
            if pretrained is not None:
                find_weights(arch, pretrained)
        except ValueError as error:
            return [str(error)]
        return []

    def _set_stride(
        self, img_size: tuple[int, int], stride: int | None
    ) -> tuple[int, int]:
        """Set the step of the patches, make positions for it, return the grid."""
        patch = self.visual.patch_size
        step = (stride, stride) if stride else patch
        rows, columns = (
            (i - p) // s + 1 for i, p, s in zip(img_size, patch, step, strict=True)
        )
        grid = (rows, columns)
        if min(grid) < 1:
            raise ValueError(f'img_size={img_size} is smaller than a patch {patch}.')
        self.visual.conv1.stride = step
        positions = rows * columns + 1
        self.visual.positional_embedding = nn.Parameter(
            torch.randn(positions, self.width) * self.width**-0.5
        )
        return grid

    def _load(
        self,
        path: Path,
        state: dict[str, Tensor],
        pretrained_grid: tuple[int, int] | None,
    ) -> None:
        state = {
            k.removeprefix('visual.'): v
            for k, v in state.items()
            if k.startswith('visual.')
        }
        positions = state['positional_embedding']
        old = pretrained_grid or guess_grid(len(positions) - 1, self.grid)
        old = (old[0], old[1])  # a config may hold a list
        notes = []
        if old != self.grid:
            notes = [
                f'positions interpolated from a grid of {old[0]}x{old[1]} patches to '
                f'{self.grid[0]}x{self.grid[1]}'
            ]
        state['positional_embedding'] = resize_position_embedding(
            positions, old, self.grid
        )
        load_tower(
            self.visual, state, name=type(self).__name__, source=path, notes=notes
        )

    def class_tokens(self) -> tuple[Tensor, Tensor]:
        """Return embeddings and positions of the class tokens, ``(k, width)`` each."""
        return (
            self.visual.class_embedding.unsqueeze(0),
            self.visual.positional_embedding[:1],
        )

    def attention_mask(self, num_tokens: int) -> Tensor | None:
        """Return the additive mask ``(L, L)`` of the blocks, or None."""
        return None

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x`` after the last norm, ``(B, L, width)``, and projected."""
        hidden = self.visual.ln_post(x)
        return hidden, hidden @ self.visual.proj

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Encode images (Eq. 1 of HPL with one class token).

        Args:
            images: ``(B, 3, H, W)``, normalised.

        Returns:
            ``tokens`` ``(B, k + N, d)``: Z_v, projected to the joint space, class
            tokens first; ``hidden`` ``(B, k + N, width)``: the same before the
            projection; and for each class token, ``v`` say, three states: ``v``
            ``(B, d)``, ``v_post`` ``(B, width)`` before the projection,
            ``v_penultimate`` ``(B, width)`` before the last block.
        """
        visual = self.visual
        patches = visual.conv1(images).flatten(2).transpose(1, 2)
        classes, class_positions = self.class_tokens()
        k = len(classes)
        x = torch.cat(
            [
                (classes + class_positions).expand(len(images), -1, -1),
                patches + visual.positional_embedding[1:],
            ],
            dim=1,
        )
        x = visual.ln_pre(x)
        mask = self.attention_mask(x.shape[1])
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            x = block(x, attn_mask=mask)
        penultimate = x[:, :k]
        hidden, tokens = self.project(last(x, attn_mask=mask))
        features = {'tokens': tokens, 'hidden': hidden}
        for i, name in enumerate(self.class_names):
            features[name] = tokens[:, i]
            features[f'{name}_post'] = hidden[:, i]
            features[f'{name}_penultimate'] = penultimate[:, i]
        return features
