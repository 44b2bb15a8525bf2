"""CLIP's vision transformer at any image size and stride, with all tokens projected."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from hplreid.registry import BACKBONES

from ..layers import guess_grid, refit_positions, resize_position_embedding
from ..layers.residual_block import run_clip_block
from .arch import build_vision_tower, get_arch
from .tower import Tower, any_read, count_patches, find_execution_problems
from .weights import find_weights, load_tower, read_weights


@BACKBONES.register_module()
class CLIPImageEncoder(Tower):
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
        num_cameras: Cameras, numbered from 0, that have an embedding each, which is
            added to the class tokens alone, as in CLIP-ReID. 0 for none.
        camera_scale: Factor of these embeddings.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.

    Raises:
        ValueError: ``arch`` has no plain vision transformer, or ``num_cameras`` is
            below 0.
        WeightsError: The weights are missing or don't fit.
    """

    class_names: tuple[str, ...] = ('v',)
    indexed_by: Mapping[str, str] = {'camera_embedding': 'camera'}
    has_clip_arch = True

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        img_size: tuple[int, int] = (384, 128),
        stride: int | None = None,
        pretrained_grid: tuple[int, int] | None = None,
        num_cameras: int = 0,
        camera_scale: float = 1.0,
        checkpoint_blocks: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__(checkpoint_blocks, compiled)
        if num_cameras < 0:
            raise ValueError(f'num_cameras={num_cameras}: expected 0 or more.')
        if not isinstance(get_arch(arch)['vision_cfg']['layers'], int):
            raise ValueError(f"arch='{arch}' has no vision transformer.")
        visual: VisionTransformer = build_vision_tower(arch, img_size)
        self.visual = visual
        self.width = visual.conv1.out_channels
        self.embed_dim = visual.output_dim
        self.grid = self._set_stride(img_size, stride)
        self.pretrained_grid = pretrained_grid
        if pretrained is not None:
            self._load(*read_weights(arch, pretrained), pretrained_grid)
        self.num_cameras = num_cameras
        self.camera_scale = camera_scale
        if num_cameras:
            self.camera_embedding = nn.Embedding(num_cameras, self.width)
            nn.init.trunc_normal_(self.camera_embedding.weight, std=0.02)

    @property
    def feature_dims(self) -> dict[str, int]:
        """The features that :meth:`forward` returns, and their widths."""
        dims = {'image_tokens': self.embed_dim, 'image_hidden': self.width}
        for name in self.class_names:
            dims[name] = self.embed_dim
            dims[f'{name}_post'] = dims[f'{name}_penultimate'] = self.width
        return dims

    @property
    def retrieval_feature(self) -> str:
        """The feature that images are compared by unless a config says another."""
        return self.class_names[-1]

    @classmethod
    def find_problems(
        cls,
        arch: str,
        pretrained: str | None = None,
        compiled: bool = False,
        **_: object,
    ) -> list[str]:
        """Return a message for each problem that keeps this tower from being built."""
        problems = find_execution_problems(compiled)
        try:
            if pretrained is not None:
                find_weights(arch, pretrained)
        except ValueError as error:
            problems.append(str(error))
        return problems

    def _set_stride(
        self, img_size: tuple[int, int], stride: int | None
    ) -> tuple[int, int]:
        """Set the step of the patches, make positions for it, return the grid."""
        patch = self.visual.patch_size
        grid = count_patches(img_size, patch, stride)
        if min(grid) < 1:
            raise ValueError(f'img_size={img_size} is smaller than a patch {patch}.')
        self.visual.conv1.stride = (stride, stride) if stride else patch
        positions = grid[0] * grid[1] + 1
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

    def resize_positions(
        self, state: dict[str, Tensor], trained: Mapping[str, Any]
    ) -> list[str]:
        """Interpolate positions of weights trained at another image size, in place.

        Args:
            state: Weights of a tower by name.
            trained: Its arguments; empty if unknown.

        Returns:
            A line about the positions, if they were changed.

        Raises:
            ValueError: Their grid isn't known and can't be guessed.
        """
        name, grid = 'visual.positional_embedding', None
        if name not in state:
            return []
        if 'img_size' in trained:
            grid = count_patches(
                trained['img_size'], self.visual.patch_size, trained.get('stride')
            )
        state[name], line = refit_positions(
            state[name], self.grid, grid, self.pretrained_grid
        )
        return [line] if line else []

    def class_tokens(self) -> tuple[Tensor, Tensor]:
        """Return embeddings and positions of the class tokens, ``(k, width)`` each."""
        return (
            self.visual.class_embedding.unsqueeze(0),
            self.visual.positional_embedding[:1],
        )

    def attention_mask(self, num_tokens: int) -> Tensor | None:
        """Return the blocks' mask ``(L, L)``, True where a token may look, or None."""
        return None

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``x`` after the last norm, ``(B, L, width)``, and projected."""
        hidden = self.visual.ln_post(x)
        return hidden, hidden @ self.visual.proj

    def embed_cameras(self, camids: Tensor) -> Tensor:
        """Return the scaled embeddings of cameras ``(B,)``, ``(B, width)``.

        Raises:
            ValueError: A camera has none. On a GPU, and in a compiled tower, nobody
                looks: training and testing check their datasets before they begin.
        """
        if not self.num_cameras:
            raise ValueError('Cameras were given to a tower with num_cameras=0.')
        if camids.device.type == 'cpu' and not torch.compiler.is_compiling():
            strange = camids[(camids < 0) | (camids >= self.num_cameras)]
            if len(strange):
                raise ValueError(
                    f'Cameras {strange.unique().tolist()}: expected 0 to '
                    f'{self.num_cameras - 1} with num_cameras={self.num_cameras}; -1 '
                    'is a camera that nobody knows.'
                )
        return self.camera_scale * self.camera_embedding(camids)

    def embed(self, images: Tensor, camids: Tensor | None) -> Tensor:
        """Return what the first block is given, ``(B, k + N, width)``."""
        visual = self.visual
        patches = visual.conv1(images).flatten(2).transpose(1, 2)
        classes, class_positions = self.class_tokens()
        # Not (classes + positions).expand(...): both would be given one and the same
        # gradient tensor, and what clips or accumulates in place would do it twice
        classes = classes.expand(images.shape[0], -1, -1) + class_positions
        if camids is not None:
            classes = classes + self.embed_cameras(camids).unsqueeze(1)
        x = torch.cat([classes, patches + visual.positional_embedding[1:]], dim=1)
        return visual.ln_pre(x)

    def forward(
        self,
        images: Tensor,
        camids: Tensor | None = None,
        reads: Collection[str] | None = None,
        rows: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Encode images (Eq. 1 of HPL with one class token).

        For images whose sequence isn't read, the last block runs for the class tokens
        alone. They, and all gradients, are the same but for rounding.

        Args:
            images: ``(B, 3, H, W)``, normalized.
            camids: Cameras ``(B,)`` for a tower with ``num_cameras``; None leaves
                their embeddings out.
            reads: See :class:`Tower`.
            rows: Images whose sequences are read, ``(R,)`` int64, each once. Defaults
                to all.

        Returns:
            ``image_tokens`` ``(R, k + N, d)``: Z_v, projected to the joint space,
            class tokens first; ``image_hidden`` ``(R, k + N, width)``: the same before
            the projection, both where one of them is read; and for each class token,
            ``v`` say, three states: ``v`` ``(B, d)``, ``v_post`` ``(B, width)`` before
            the projection, ``v_penultimate`` ``(B, width)`` before the last block.
        """
        x = self.embed(images, camids)
        mask = self.attention_mask(x.shape[1])
        for block in self.visual.transformer.resblocks[:-1]:
            x = self.run(run_clip_block, block, x, mask=mask)
        k = len(self.class_names)
        penultimate = x[:, :k]
        features = {}
        if any_read(reads, 'image_tokens', 'image_hidden'):
            classes, sequences = self._run_last(x, mask, rows)
            hidden, tokens = self.project(sequences)
            features = {'image_tokens': tokens, 'image_hidden': hidden}
            if rows is not None:
                hidden, tokens = self.project(classes)
        else:
            hidden, tokens = self.project(self._run_last_of_classes(x, mask))
        for i, name in enumerate(self.class_names):
            features[name] = tokens[:, i]
            features[f'{name}_post'] = hidden[:, i]
            features[f'{name}_penultimate'] = penultimate[:, i]
        return features

    def _run_last_of_classes(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the class tokens after the last block, ``(B, k, width)``."""
        k = len(self.class_names)
        last = self.visual.transformer.resblocks[-1]
        of_classes = None if mask is None else mask[:k]
        return self.run(run_clip_block, last, x, x[:, :k], of_classes)

    def _run_last(
        self, x: Tensor, mask: Tensor | None, rows: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return all class tokens after the last block, and the sequences of rows."""
        k = len(self.class_names)
        last = self.visual.transformer.resblocks[-1]
        if rows is None:
            x = self.run(run_clip_block, last, x, mask=mask)
            return x[:, :k], x
        # The other rows, in their order: with known sizes no device has to be asked
        read = torch.zeros(len(x), dtype=torch.uint8, device=x.device)
        read = read.index_fill(0, rows, 1)
        others = read.argsort(stable=True)[: len(x) - len(rows)]
        sequences = self.run(run_clip_block, last, x[rows], mask=mask)
        classes = self._run_last_of_classes(x[others], mask)
        places = torch.cat([rows, others]).argsort()
        return torch.cat([sequences[:, :k], classes])[places], sequences
