"""Features of image towers of other code bases, found out by one blank image."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from hplreid.structures.feature_form import MAP, TOKENS, VECTOR, FeatureForm

SIZES = ((256, 128), (224, 224), (384, 128))
"""Heights and widths that are tried where a config has no ``img_size``."""

# What timm and mmpretrain call the number of tokens before the patches
_PREFIXES = ('num_prefix_tokens', 'num_extra_tokens')


class ForeignFeatures:
    """Names for what a tower of mmpretrain's, timm's or anyone's returns.

    The last of several outputs counts. Whatever it is, it serves as

    * ``v`` ``(B, C)``: a vector as it is, the mean of a map, the first of the tokens
      before the patches (the class token), or the mean where there is none;
    * ``map`` ``(B, C, H, W)``: a map as it is, patches in their places, a vector as a
      map of one place;
    * ``image_tokens`` ``(B, 1 + N, C)``: ``v``, then the places of a map or the
      patches; a vector has none.

    Args:
        tower: The tower.
        img_size: Height and width of the images that it is made for, in pixels; None
            where it takes several: those of :data:`SIZES` are tried.

    Attributes:
        forms: The features' forms by name.

    Raises:
        ValueError: The tower fails on every size, or what it returns is no feature.
    """

    def __init__(self, tower: nn.Module, img_size: Sequence[int] | None = None) -> None:
        parts = list(_wrapped(tower))
        self.channels_last = any(
            getattr(part, 'output_fmt', 'NCHW') == 'NHWC' for part in parts
        )
        counts = (getattr(part, name, None) for part in parts for name in _PREFIXES)
        self.num_prefix = next((n for n in counts if isinstance(n, int)), 0)
        sizes = SIZES if img_size is None else (tuple(img_size),)
        problems = []
        for height, width in sizes:
            try:
                output = encode_blank(tower, (height, width))
            except Exception as error:
                problems.append(f'{height}x{width}: {type(error).__name__}: {error}')
                continue
            features = self.read(output, (height, width))
            self.forms = {
                name: FeatureForm(_KINDS[value.dim()], value.shape[_channels(value)])
                for name, value in features.items()
            }
            return
        raise ValueError(
            f'{type(tower).__name__} fails on a blank image of\n  '
            + '\n  '.join(problems)
            + '\nSet the options that fit the size of images, `img_size` say.'
        )

    def read(self, output: Any, img_size: Sequence[int]) -> dict[str, Tensor]:  # noqa: ANN401
        """Return the features by name.

        Args:
            output: What the tower returned.
            img_size: Height and width of the images.

        Raises:
            ValueError: It is no vector, map or sequence, nor a list that ends in one.
        """
        value = _last(output)
        if value.dim() == 2:
            return {'v': value, 'map': value[:, :, None, None]}
        if value.dim() == 4:
            maps = value.permute(0, 3, 1, 2) if self.channels_last else value
            places = maps.flatten(2).transpose(1, 2)
            v = maps.mean(dim=(2, 3))
            return {'v': v, 'map': maps, 'image_tokens': _join(v, places)}
        patches = value[:, self.num_prefix :]
        v = value[:, 0] if self.num_prefix else value.mean(dim=1)
        rows, columns = _grid(patches.shape[1], img_size)
        maps = patches.transpose(1, 2).unflatten(2, (rows, columns))
        return {'v': v, 'map': maps, 'image_tokens': _join(v, patches)}


_KINDS = {2: VECTOR, 3: TOKENS, 4: MAP}


@torch.no_grad()
def encode_blank(tower: nn.Module, img_size: Sequence[int]) -> Any:  # noqa: ANN401
    """Return what a copy of a tower makes of two blank images.

    On the meta device, where that works, nothing is computed but shapes.

    Args:
        tower: The tower.
        img_size: Height and width in pixels.
    """
    blank, copied = torch.zeros(2, 3, *img_size), deepcopy(tower)
    copied.eval()  # which returns nothing in mmpretrain
    try:
        return deepcopy(copied).to('meta')(blank.to('meta'))
    except Exception:  # some operations need values: what fails with them, is wrong
        parameter = next(tower.parameters(), blank)
        with torch.random.fork_rng(devices=[]):
            return copied(blank.to(parameter))


def _wrapped(tower: nn.Module) -> Iterator[nn.Module]:
    """Yield a tower and, where it only wraps another one, that."""
    yield tower
    children = list(tower.children())
    if len(children) == 1:
        yield from _wrapped(children[0])


def _last(output: Any) -> Tensor:  # noqa: ANN401
    """Return the last of nested outputs, a tensor."""
    if isinstance(output, (list, tuple)) and output:
        return _last(output[-1])
    if not isinstance(output, Tensor) or output.dim() not in _KINDS:
        found: Any = type(output).__name__
        if isinstance(output, Tensor):
            found = f'a tensor of shape {tuple(output.shape)}'
        elif isinstance(output, dict):
            found = f'a dict of {", ".join(map(str, output))}'
        raise ValueError(
            'The tower returns ' + found + ': expected a vector (B, C), a map '
            '(B, C, H, W), tokens (B, N, C), or a list that ends in one of them. A '
            'tower that returns a dict says its `feature_dims`.'
        )
    return output


def _join(first: Tensor, others: Tensor) -> Tensor:
    return torch.cat([first.unsqueeze(1), others], dim=1)


def _channels(value: Tensor) -> int:
    return 1 if value.dim() == 4 else -1


def _grid(count: int, img_size: Sequence[int]) -> tuple[int, int]:
    """Return rows and columns of patches, like the image's; else one column."""
    rows = max(round((count * img_size[0] / img_size[1]) ** 0.5), 1)
    return (rows, count // rows) if count % rows == 0 else (count, 1)
