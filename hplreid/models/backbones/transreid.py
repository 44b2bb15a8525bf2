"""TransReID: a vision transformer with camera embeddings and jigsaw patches."""

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import is_model_in_modules
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from hplreid.registry import BACKBONES

from ..layers import guess_grid, refit_positions, resize_position_embedding
from ..layers.residual_block import run_timm_block
from .tower import Tower, any_read, count_patches, find_execution_problems
from .vision_weights import describe_skipped, find_timm_weights, read_vision_state
from .weights import WeightsError, load_tower


def shift_and_shuffle(patches: Tensor, shift: int = 5, groups: int = 2) -> Tensor:
    """Reorder patches so that each stretch of the sequence covers the whole image.

    First ``shift - 1`` patches move from the front to the end: the reference counts
    from the class token on. Then the sequence is cut into ``groups`` runs, which are
    dealt out in turns: the first patch of every run, the second of every run, and so
    on. Where they can't be equally long, the second to last patch is appended once
    more, as in the reference.

    Args:
        patches: ``(B, N, C)``, without a class token.
        shift: The paper's m = 5.
        groups: The paper's k.

    Returns:
        ``(B, N, C)``, or ``(B, N + 1, C)`` where a patch was appended.

    Example:
        >>> import torch
        >>> from hplreid.models.backbones import shift_and_shuffle
        >>> patches = torch.arange(6.0).reshape(1, 6, 1)
        >>> shift_and_shuffle(patches, shift=2, groups=2).flatten().tolist()
        [1.0, 4.0, 2.0, 5.0, 3.0, 0.0]
    """
    patches = patches.roll(1 - shift, dims=1)
    if patches.shape[1] % groups:
        patches = torch.cat([patches, patches[:, -2:-1]], dim=1)
    return patches.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


@BACKBONES.register_module()
class TransReIDEncoder(Tower):
    """timm's vision transformer with side information and the jigsaw patch module.

    `TransReID <https://arxiv.org/abs/2102.04378>`_. Side information (SIE, Eq. 4): a
    learned embedding of the camera is added to all tokens. Jigsaw patch module (JPM,
    section 3.3): a copy of the last block and norm reads four groups of shuffled
    patches, each with the class token, whose outputs are ``part_1`` to ``part_4``;
    the last block itself gives the global ``v``. Without either it is the plain
    transformer that the paper's baseline is.

    Args:
        arch: timm name of a plain vision transformer. Defaults to ViT-B/16.
        pretrained: A file in timm's layout, or a tag of timm's (see
            :func:`find_timm_weights`); None for random weights.
        img_size: Height and width in pixels.
        stride: Step of the patches in pixels, 12 for the paper's overlapping ones.
            Defaults to the patch size.
        pretrained_grid: Rows and columns of the patch positions in the weights, where
            they can't be guessed (see :func:`guess_grid`).
        num_cameras: Cameras of the dataset; 0, the default, for no SIE.
        sie_scale: Lambda of Eq. 4. Defaults to 3.
        jpm: Whether there are parts.
        shift: See :func:`shift_and_shuffle`.
        shuffle_groups: See :func:`shift_and_shuffle`.
        num_parts: Groups that the shuffled patches are split into. What is left over,
            2 of 210 patches at stride 12, is in none of them.
        drop_path: Share of residual branches dropped in training, rising linearly over
            the blocks to this.
        arch_options: What timm's constructor should make otherwise, ``depth`` say.
        checkpoint_blocks: See :class:`Tower`.
        compiled: See :class:`Tower`.

    Raises:
        ValueError: ``arch`` is no plain vision transformer of timm's, or the image
            is too small for a patch or for the parts.
        WeightsError: The weights are missing or don't fit.
    """

    indexed_by: Mapping[str, str] = {'camera_embedding': 'camera'}

    def __init__(
        self,
        arch: str = 'vit_base_patch16_224',
        pretrained: str | None = None,
        img_size: tuple[int, int] = (256, 128),
        stride: int | None = None,
        pretrained_grid: tuple[int, int] | None = None,
        num_cameras: int = 0,
        sie_scale: float = 3.0,
        jpm: bool = True,
        shift: int = 5,
        shuffle_groups: int = 2,
        num_parts: int = 4,
        drop_path: float = 0.1,
        arch_options: dict[str, Any] | None = None,
        checkpoint_blocks: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__(checkpoint_blocks, compiled)
        _check_arch(arch)
        # Before anything is built: what is missing is said at once
        path = None if pretrained is None else find_timm_weights(arch, pretrained)
        options = {'drop_path_rate': drop_path, **(arch_options or {})}
        self.vit = _build_vit(arch, img_size, options)
        self.width: int = self.vit.embed_dim
        self.grid = self._set_stride(img_size, stride)
        self.pretrained_grid = pretrained_grid
        if path is not None:
            self._load(path, pretrained_grid)
        self.num_cameras = num_cameras
        self.sie_scale = sie_scale
        self.camera_embedding: nn.Embedding | None = None
        if num_cameras:
            self.camera_embedding = nn.Embedding(num_cameras, self.width)
            nn.init.trunc_normal_(self.camera_embedding.weight, std=0.02)
        self.shift = shift
        self.shuffle_groups = shuffle_groups
        self.num_parts = num_parts if jpm else 0
        if jpm:
            self._check_parts()
            # The global branch keeps the tower's own last block, its copy is for parts
            self.local_block = copy.deepcopy(self.vit.blocks[-1])
            self.local_norm = copy.deepcopy(self.vit.norm)

    @property
    def feature_dims(self) -> dict[str, int]:
        """The features that :meth:`forward` returns, and their widths."""
        dims = {'v': self.width, 'image_tokens': self.width}
        if self.num_parts:
            dims |= dict.fromkeys(self._part_names, self.width)
            dims['v_parts'] = (1 + self.num_parts) * self.width
        return dims

    @property
    def retrieval_feature(self) -> str:
        """The feature that images are compared by unless a config says another."""
        return 'v_parts' if self.num_parts else 'v'

    @property
    def _part_names(self) -> list[str]:
        return [f'part_{i + 1}' for i in range(self.num_parts)]

    @classmethod
    def find_problems(
        cls,
        arch: str = 'vit_base_patch16_224',
        pretrained: str | None = None,
        compiled: bool = False,
        **_: object,
    ) -> list[str]:
        """Return a message for each problem that keeps this tower from being built."""
        problems = find_execution_problems(compiled)
        try:
            _check_arch(arch)
            if pretrained is not None:
                find_timm_weights(arch, pretrained)
        except ValueError as error:
            problems.append(str(error))
        return problems

    def init_weights(self) -> None:
        """Leave the weights as they are.

        MMEngine calls this before training and, left to itself, would go on to timm's
        method of that name, which makes all weights random again.
        """

    def _set_stride(
        self, img_size: tuple[int, int], stride: int | None
    ) -> tuple[int, int]:
        """Set the step of the patches, make positions for it, return the grid."""
        embed = self.vit.patch_embed
        patch = embed.patch_size
        rows, columns = count_patches(img_size, patch, stride)
        if min(rows, columns) < 1:
            raise ValueError(f'img_size={img_size} is smaller than a patch {patch}.')
        embed.proj.stride = (stride, stride) if stride else patch
        embed.grid_size, embed.num_patches = (rows, columns), rows * columns
        positions = torch.empty(1, 1 + rows * columns, self.width)
        self.vit.pos_embed = nn.Parameter(nn.init.trunc_normal_(positions, std=0.02))
        return rows, columns

    def resize_positions(
        self, state: dict[str, Tensor], trained: Mapping[str, Any]
    ) -> list[str]:
        """Interpolate positions of weights trained at another image size, in place.

        See :meth:`.CLIPImageEncoder.resize_positions`.
        """
        name, grid = 'vit.pos_embed', None
        positions = state.get(name)
        if positions is None or positions.dim() != 3 or len(positions) != 1:
            return []
        if 'img_size' in trained:
            patch = self.vit.patch_embed.patch_size
            grid = count_patches(trained['img_size'], patch, trained.get('stride'))
        resized, line = refit_positions(
            positions[0], self.grid, grid, self.pretrained_grid
        )
        state[name] = resized.unsqueeze(0)
        return [line] if line else []

    def _check_parts(self) -> None:
        count, groups = self.grid[0] * self.grid[1], self.shuffle_groups
        if count < self.num_parts:
            raise ValueError(
                f'num_parts={self.num_parts}: the image has only {count} patches.'
            )
        if -count % groups > 1:  # one patch can be appended, not more
            raise ValueError(
                f'shuffle_groups={groups}: {count} patches, or one more, can not be '
                'cut into that many runs of one length.'
            )

    def _load(self, path: Path, pretrained_grid: tuple[int, int] | None) -> None:
        state = read_vision_state(path, 'vit')
        positions = state.get('pos_embed')
        if positions is None or positions.dim() != 3:
            raise WeightsError(
                f'{path} holds no vision transformer in the layout of timm: no '
                f'pos_embed. Its first keys: {list(state)[:5]}.'
            )
        positions = positions[0]
        notes = describe_skipped([k for k in state if k not in self.vit.state_dict()])
        if 'dist_token' in state:
            # DeiT's second class token stands behind the first
            positions = torch.cat([positions[:1], positions[2:]])
            notes.append('the position of the distillation token was left out')
        old = pretrained_grid or guess_grid(len(positions) - 1, self.grid)
        old = (old[0], old[1])  # a config may hold a list
        if old != self.grid:
            notes.append(
                f'positions interpolated from a grid of {old[0]}x{old[1]} patches to '
                f'{self.grid[0]}x{self.grid[1]}'
            )
        positions = resize_position_embedding(positions, old, self.grid)
        state['pos_embed'] = positions.unsqueeze(0)
        load_tower(self.vit, state, name=type(self).__name__, source=path, notes=notes)

    def forward(
        self,
        images: Tensor,
        camids: Tensor | None = None,
        reads: Collection[str] | None = None,
    ) -> dict[str, Tensor]:
        """Encode images.

        Where ``image_tokens`` isn't read, the last block runs for the class token
        alone, and the parts' block for theirs always. Features and gradients are the
        same but for rounding.

        Args:
            images: ``(B, 3, H, W)``, normalized.
            camids: ``(B,)`` int64, cameras from 0 on; needed with SIE.
            reads: See :class:`Tower`. Parts that aren't read aren't computed.

        Returns:
            ``v`` ``(B, width)``, the class token after the last norm, and
            ``image_tokens`` ``(B, 1 + N, width)``, it and the patches. With JPM
            ``part_1`` and so on, ``(B, width)`` each, and ``v_parts``
            ``(B, (1 + parts) * width)``: v and all parts over their number, what the
            paper compares images by.

        Raises:
            ValueError: The tower embeds cameras and ``camids`` is missing, or names one
                that it doesn't know (seen on a CPU alone, and not when compiled).
        """
        x = self.embed(images, camids)
        *blocks, last = self.vit.blocks
        for block in blocks:
            x = self.run(block, x)
        features = {}
        if any_read(reads, 'image_tokens'):
            tokens = features['image_tokens'] = self.vit.norm(self.run(last, x))
            v = tokens[:, 0]
        else:
            v = self.vit.norm(self.run(run_timm_block, last, x, 1)[:, 0])
        features['v'] = v
        if self.num_parts and any_read(reads, 'v_parts', *self._part_names):
            parts = self.encode_parts(x)
            features.update(zip(self._part_names, parts.unbind(1), strict=True))
            joined = [v, parts.flatten(1) / self.num_parts]
            features['v_parts'] = torch.cat(joined, dim=1)
        return features

    def embed(self, images: Tensor, camids: Tensor | None) -> Tensor:
        """Return what the first block is given, ``(B, 1 + N, width)``.

        Raises:
            ValueError: See :meth:`forward`.
        """
        vit = self.vit
        assert vit.cls_token is not None
        assert vit.pos_embed is not None
        classes = vit.cls_token.expand(images.shape[0], -1, -1)
        x = torch.cat([classes, vit.patch_embed(images)], dim=1) + vit.pos_embed
        if self.camera_embedding is not None:
            x = x + self.embed_cameras(camids).unsqueeze(1)
        return vit.norm_pre(vit.pos_drop(x))

    def embed_cameras(self, camids: Tensor | None) -> Tensor:
        """Return what SIE adds to the tokens of each image, ``(B, width)``.

        Raises:
            ValueError: See :meth:`forward`.
        """
        assert self.camera_embedding is not None
        if camids is None:
            raise ValueError(
                f'This tower embeds {self.num_cameras} cameras: it takes (images, '
                'camids).'
            )
        # On a GPU the look-up itself stops at such an id; a check would have to wait
        # for the device at every step
        compiling = torch.compiler.is_compiling()
        if camids.device.type == 'cpu' and len(camids) and not compiling:
            low, high = int(camids.min()), int(camids.max())
            if low < 0 or high >= self.num_cameras:
                raise ValueError(
                    f'camids from {low} to {high} (-1 is an unknown camera): this '
                    f'tower embeds the cameras 0 to {self.num_cameras - 1}. Set '
                    '`num_cameras` to what the dataset has, or to 0 for images of '
                    'any camera.'
                )
        return self.sie_scale * self.camera_embedding(camids)

    def encode_parts(self, x: Tensor) -> Tensor:
        """Return the features of the parts.

        Args:
            x: ``(B, 1 + N, width)``, what the last block is given.

        Returns:
            ``(B, num_parts, width)``.
        """
        length = (x.shape[1] - 1) // self.num_parts
        patches = shift_and_shuffle(x[:, 1:], self.shift, self.shuffle_groups)
        groups = patches[:, : self.num_parts * length].unflatten(1, (-1, length))
        classes = x[:, None, :1].expand(-1, self.num_parts, -1, -1)
        # All groups in one batch: they share the block
        sequences = torch.cat([classes, groups], dim=2).flatten(0, 1)
        parts = self.run(run_timm_block, self.local_block, sequences, 1)[:, 0]
        parts = self.local_norm(parts)
        return parts.unflatten(0, (-1, self.num_parts))


def _check_arch(arch: str) -> None:
    if not is_model_in_modules(arch, ('vision_transformer', 'deit')):
        raise ValueError(
            f"arch='{arch}' is no vision transformer of timm's: expected "
            "'vit_base_patch16_224', 'vit_small_patch16_224', 'deit_base_patch16_224' "
            'or one like them.'
        )


def _build_vit(
    arch: str, img_size: tuple[int, int], options: dict[str, Any]
) -> VisionTransformer:
    """Build timm's transformer with random weights and without a classifier."""
    vit = timm.create_model(
        arch, pretrained=False, num_classes=0, img_size=tuple(img_size), **options
    )
    if (
        type(vit) is not VisionTransformer
        or vit.cls_token is None
        or vit.num_prefix_tokens != 1
        or vit.pos_embed is None
        or vit.no_embed_class
        or not isinstance(vit.fc_norm, nn.Identity)
        or not isinstance(vit.patch_drop, nn.Identity)
    ):
        raise ValueError(
            f"arch='{arch}' with {options} is no plain vision transformer: expected "
            'one class token with a learned position, read after the last norm.'
        )
    return vit
