"""Average the features of an image over its mirror image and scales."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_FEATURES = ('i2i_feat', 't2i_feat')

Step = Callable[[Any], Sequence[Any]]


class TestTimeAugmentation:
    """Runs a model on variants of the images of a batch and averages their features.

    Each feature is the mean of the L2-normalized features of the variants. Captions are
    encoded once. It works for every method, since it uses only the features that models
    set on samples. MMEngine's ``BaseTTAModel`` would load each image and encode each
    caption once per variant.

    Args:
        flip: Whether to add the mirror image of each variant.
        scales: Magnifications. The size of images stays: above 1 borders are cut off,
            below 1 they are repeated outwards.

    Raises:
        ValueError: A scale isn't above 0, or there is none.

    Example:
        >>> augmentation = TestTimeAugmentation(flip=True, scales=(1, 1.1))
        >>> len(augmentation.variants(torch.rand(2, 3, 8, 4)))
        4
        >>> augmentation.describe()
        ['test-time augmentation: flip and scales 1, 1.1']
    """

    __test__ = False  # else pytest collects the class as a test

    def __init__(self, flip: bool = False, scales: Sequence[float] = (1.0,)) -> None:
        if not scales or min(scales) <= 0:
            raise ValueError(f'scales must be numbers above 0; got {scales}.')
        self.flip = flip
        self.scales = tuple(scales)

    def describe(self) -> list[str]:
        """Describe what is averaged; return no line without augmentation."""
        parts = ['flip'] if self.flip else []
        if self.scales != (1.0,):
            parts.append('scales ' + ', '.join(f'{s:g}' for s in self.scales))
        return [f'test-time augmentation: {" and ".join(parts)}'] if parts else []

    def variants(self, images: Tensor) -> list[Tensor]:
        """Return the variants of images, ``(B, 3, H, W)`` each, as copies."""
        scaled = [zoom(images, scale) for scale in self.scales]
        mirrored = [v.flip(-1) for v in scaled] if self.flip else []
        return [*scaled, *mirrored]

    def run(self, step: Step, batch: Any) -> Sequence[Any]:  # noqa: ANN401
        """Return the samples of a batch, with averaged features.

        Args:
            step: The model's ``test_step`` or ``val_step``.
            batch: A batch as :func:`reid_collate` makes it.

        Raises:
            TypeError: The batch has no tensor of images.
            ValueError: An item has both an image and a caption.
        """
        if not self.describe():
            return step(batch)
        inputs = batch['inputs']
        if 'images' not in inputs:
            raise TypeError(
                'Test-time augmentation needs the images of a batch as one tensor: '
                "collate_fn=dict(type='reid_collate')."
            )
        rows, captioned = (inputs[k].tolist() for k in ('image_rows', 'caption_rows'))
        if set(rows) & set(captioned):
            raise ValueError(
                'Test-time augmentation is for items that are an image or a caption; '
                f'{len(set(rows) & set(captioned))} are both.'
            )
        if not rows:
            return step(batch)
        variants = self.variants(inputs['images'])
        samples = step({**batch, 'inputs': {**inputs, 'images': variants[0]}})
        features = [_normalized_features(samples, rows)]
        texts = ('captions', 'caption_rows', 'masking')
        no_captions = {k: inputs[k][:0] for k in texts if k in inputs}
        for images in variants[1:]:
            step({**batch, 'inputs': {**inputs, **no_captions, 'images': images}})
            features.append(_normalized_features(samples, rows))
        for name in features[0]:
            means = torch.stack([variant[name] for variant in features]).mean(0)
            for row, mean in zip(rows, means, strict=True):
                samples[row].set_field(mean, name)
        return samples


def zoom(images: Tensor, scale: float) -> Tensor:
    """Magnify images about their center and keep their size.

    Args:
        images: ``(B, 3, H, W)``.
        scale: Above 1 the borders are cut off, below 1 they are repeated outwards.

    Returns:
        ``(B, 3, H, W)``, a copy.

    Example:
        >>> zoom(torch.arange(4.0).expand(1, 1, 1, 4), 0.5)
        tensor([[[[0.7143, 0.7143, 2.2857, 2.2857]]]])
    """
    height, width = images.shape[-2:]
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    if size == [height, width]:
        return images.clone()
    zoomed = F.interpolate(images, size, mode='bilinear', antialias=True)
    # Clamped indices repeat the border below 1 and cut it off above
    rows, columns = (
        (torch.arange(old) + (new - old) // 2).clamp(0, new - 1)
        for old, new in zip((height, width), size, strict=True)
    )
    return zoomed[:, :, rows][:, :, :, columns]


def _normalized_features(samples: Sequence[Any], rows: list[int]) -> dict[str, Tensor]:
    """Return the L2-normalized features of the images, ``(B, C)`` by name."""
    return {
        name: F.normalize(torch.stack([samples[row].get(name) for row in rows]), dim=1)
        for name in _FEATURES
        if name in samples[rows[0]]
    }
