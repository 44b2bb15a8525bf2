"""CLIP's ResNet at any image size, with the attention pool's whole sequence."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d, Bottleneck, ModifiedResNet
from torch import Tensor, nn

from hplreid.registry import BACKBONES
from hplreid.utils.argument_checks import check_one_of

from ..layers import guess_grid, refit_positions, resize_position_embedding
from .arch import get_arch
from .tower import Tower, any_read, find_execution_problems, set_memory_format
from .weights import find_weights, load_tower, read_weights

_POSITIONS = 'attnpool.positional_embedding'


@BACKBONES.register_module()
class CLIPResNetEncoder(Tower):
    """E_v as CLIP's ResNet, read as CLIP-ReID reads it.

    `CLIP-ReID <https://arxiv.org/abs/2211.13977>`_, its code.

    Args:
        arch: open_clip name of the architecture, ``'RN50-quickgelu'`` say.
        pretrained: A file or an open_clip tag (see :func:`find_weights`); None for
            random weights.
        img_size: Height and width in pixels, multiples of 16 (32 with
            ``last_stride=2``).
        last_stride: Step of the last layer: 1, so that 256 x 128 ends in 16 x 8
            places, or CLIP's own 2.
        pretrained_grid: Rows and columns of the pool's positions in the weights, where
            they can't be guessed (see :func:`guess_grid`).
        channels_last: Keep weights and maps in the channels-last memory format, in
            which convolutions are faster on many devices. Equal but for rounding.
        compiled: See :class:`Tower`.

    Raises:
        ValueError: ``arch`` has no ResNet, or an argument isn't usable.
        WeightsError: The weights are missing or don't fit.
    """

    retrieval_feature = 'v'
    has_clip_arch = True

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        img_size: tuple[int, int] = (256, 128),
        last_stride: int = 1,
        pretrained_grid: tuple[int, int] | None = None,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__(compiled=compiled)
        check_one_of('last_stride', last_stride, (1, 2))
        step = 16 * last_stride
        if any(side < step or side % step for side in img_size):
            raise ValueError(f'img_size={img_size}: expected multiples of {step}.')
        self.grid = (img_size[0] // step, img_size[1] // step)
        self.pretrained_grid = pretrained_grid
        self.visual = _build_resnet(arch)
        self.embed_dim = self.visual.output_dim
        self.width = self.visual.attnpool.q_proj.in_features
        if last_stride == 1:
            _remove_stride(self.visual.layer4[0])
        self.visual.attnpool.positional_embedding = nn.Parameter(
            torch.randn(1 + self.grid[0] * self.grid[1], self.width) * self.width**-0.5
        )
        if pretrained is not None:
            self._load(arch, pretrained, pretrained_grid)
        self.memory_format = set_memory_format(self, channels_last)

    @property
    def feature_dims(self) -> dict[str, int]:
        """The features that :meth:`forward` returns, and their widths."""
        return {
            'image_tokens': self.embed_dim,
            'v': self.embed_dim,
            'v_post': self.width,
            'v_penultimate': self.width // 2,
        }

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

    def _load(
        self, arch: str, pretrained: str, pretrained_grid: tuple[int, int] | None
    ) -> None:
        path, state = read_weights(arch, pretrained)
        state = {
            k.removeprefix('visual.'): v
            for k, v in state.items()
            if k.startswith('visual.')
        }
        # Batch counters, which nothing reads; files of old versions lack them
        own = self.visual.state_dict()
        counters = [k for k in own if k.endswith('num_batches_tracked')]
        state = {**{k: own[k] for k in counters}, **state}
        notes = []
        if _POSITIONS in state:
            positions = state[_POSITIONS]
            old = pretrained_grid or guess_grid(len(positions) - 1, self.grid)
            old = (old[0], old[1])  # a config may hold a list
            state[_POSITIONS] = resize_position_embedding(positions, old, self.grid)
            if old != self.grid:
                notes = [
                    f'positions of the attention pool interpolated from {old[0]}x'
                    f'{old[1]} to {self.grid[0]}x{self.grid[1]}'
                ]
        load_tower(
            self.visual, state, name=type(self).__name__, source=path, notes=notes
        )

    def resize_positions(
        self, state: dict[str, Tensor], trained: Mapping[str, Any]
    ) -> list[str]:
        """Interpolate positions of weights trained at another image size, in place.

        See :meth:`.CLIPImageEncoder.resize_positions`.
        """
        name, grid = f'visual.{_POSITIONS}', None
        if name not in state:
            return []
        if 'img_size' in trained:
            height, width = trained['img_size']
            step = 16 * trained.get('last_stride', 1)
            grid = (height // step, width // step)
        state[name], line = refit_positions(
            state[name], self.grid, grid, self.pretrained_grid
        )
        return [line] if line else []

    def forward(
        self, images: Tensor, reads: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Encode images.

        Args:
            images: ``(B, 3, H, W)``, normalized.
            reads: See :class:`Tower`. Without ``image_tokens`` in it, the pool runs
                for the mean alone; without ``v`` either, not at all.

        Returns:
            ``image_tokens`` ``(B, 1 + N, d)``: the attention pool's sequence, that of
            the mean first; ``v`` ``(B, d)``: the first, CLIP's feature; ``v_post``
            ``(B, width)`` and ``v_penultimate`` ``(B, width / 2)``: means of the last
            layer's map and of the one before.
        """
        visual = self.visual
        images = images.contiguous(memory_format=self.memory_format)
        third = visual.layer3(visual.layer2(visual.layer1(visual.stem(images))))
        fourth = visual.layer4(third)
        features = {
            'v_post': fourth.mean(dim=(2, 3)),
            'v_penultimate': third.mean(dim=(2, 3)),
        }
        if any_read(reads, 'image_tokens'):
            tokens = features['image_tokens'] = pool_places(visual.attnpool, fourth)
            features['v'] = tokens[:, 0]
        elif any_read(reads, 'v'):
            features['v'] = pool_places(visual.attnpool, fourth, count=1)[:, 0]
        return features


def pool_places(
    pool: AttentionPool2d, maps: Tensor, count: int | None = None
) -> Tensor:
    """Run CLIP's attention pool for all of its places, or for the first ``count``.

    Its own forward keeps the first and computes all.

    Args:
        pool: Its weights and positions.
        maps: ``(B, C, h, w)``.
        count: How many outputs are read. Defaults to all.

    Returns:
        ``(B, 1 + h * w, d)``, or of the first ``count``: that of the mean over places,
        then of each.
    """
    places = maps.flatten(2).transpose(1, 2)
    x = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1)
    x = x + pool.positional_embedding
    query, key, value = (
        projection(given).unflatten(2, (pool.num_heads, -1)).transpose(1, 2)
        for projection, given in (
            (pool.q_proj, x[:, :count]),
            (pool.k_proj, x),
            (pool.v_proj, x),
        )
    )
    attended = F.scaled_dot_product_attention(query, key, value)
    return pool.c_proj(attended.transpose(1, 2).flatten(2))


def _build_resnet(arch: str) -> ModifiedResNet:
    """Build open_clip's ResNet with random weights.

    Not by open_clip's own function, which takes square images alone.
    """
    config = get_arch(arch)
    vision = config['vision_cfg']
    if isinstance(vision['layers'], int):
        raise ValueError(f"arch='{arch}' has no ResNet: use CLIPImageEncoder for it.")
    return ModifiedResNet(
        layers=vision['layers'],
        output_dim=config['embed_dim'],
        heads=vision['width'] * 32 // vision.get('head_width', 64),
        width=vision['width'],
    )


def _remove_stride(block: Bottleneck) -> None:
    """Have a layer's first block keep every place.

    Its convolutions have no stride: what halves the map is average pooling.
    """
    block.avgpool = nn.Identity()
    block.downsample[0] = nn.Identity()
    block.stride = 1
