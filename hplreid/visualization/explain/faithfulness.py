"""Whether relevant patches matter: deletion and insertion curves.

`RISE <https://arxiv.org/abs/1806.07421>`_ (Petsiuk, Das, Saenko, 2018): patches are
taken out of an image, or put into a blurred one, the most relevant first, and the score
is computed again. A faithful map makes it fall fast, or rise fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hplreid.utils.argument_checks import check_count, check_one_of

MODES = ('deletion', 'insertion')


@dataclass(frozen=True)
class PerturbationCurves:
    """Scores of images of which a growing share was changed.

    Attributes:
        shares: Share of patches that were changed, ``(S,)`` from 0 to 1.
        scores: Of each image, ``(B, S)``.
    """

    shares: Tensor
    scores: Tensor

    def areas(self) -> Tensor:
        """Return the area under each image's curve, its mean height, ``(B,)``.

        Example:
            >>> shares = torch.tensor([0.0, 0.5, 1.0])
            >>> PerturbationCurves(shares, torch.tensor([[1.0, 0.5, 0.0]])).areas()
            tensor([0.5000])
        """
        return torch.trapezoid(self.scores, self.shares, dim=1)

    def relative(self, mode: str) -> PerturbationCurves:
        """Return the curves in units of the mean score of whole images.

        Args:
            mode: One of ``MODES``, which says where images are whole.

        Example:
            >>> shares = torch.tensor([0.0, 1.0])
            >>> curves = PerturbationCurves(shares, torch.tensor([[0.4, 0.1]]))
            >>> curves.relative('deletion').scores
            tensor([[1.0000, 0.2500]])
        """
        check_one_of('mode', mode, MODES)
        whole = self.scores[:, 0 if mode == 'deletion' else -1].mean()
        return PerturbationCurves(self.shares, self.scores / whole)


@torch.no_grad()
def perturb_images(
    score: Callable[[Tensor], Tensor],
    images: Tensor,
    maps: Tensor,
    mode: str = 'deletion',
    steps: int = 16,
) -> PerturbationCurves:
    """Score images while patches are taken out or put in, the most relevant first.

    Args:
        score: Returns the scores ``(B,)`` of images ``(B, 3, H, W)``, each by its own
            rule: its similarity to a caption, say.
        images: ``(B, 3, H, W)``, normalized.
        maps: Relevance of patches, ``(B, rows, columns)``. Of equal ones the first
            in reading order comes first.
        mode: ``'deletion'``: patches become the mean color of the dataset;
            ``'insertion'``: patches of a blurred image become sharp.
        steps: In how many steps, as equal as the number of patches allows.

    Raises:
        ValueError: Another mode, or ``steps`` is below 1.

    Example:
        >>> images = torch.arange(4.0).reshape(1, 1, 2, 2)
        >>> curves = perturb_images(
        ...     lambda x: x.sum(dim=(1, 2, 3)), images, images[:, 0], steps=4
        ... )
        >>> curves.scores.tolist()  # the largest is deleted first
        [[6.0, 3.0, 1.0, 0.0, 0.0]]
    """
    check_one_of('mode', mode, MODES)
    check_count('steps', steps)
    patches = maps.flatten(1)
    count = patches.shape[1]
    order = patches.argsort(dim=1, descending=True, stable=True)
    ranks = order.argsort(dim=1).reshape(maps.shape)  # 0: the most relevant
    ranks = F.interpolate(ranks[:, None].float(), size=images.shape[2:], mode='nearest')
    empty = torch.zeros_like(images) if mode == 'deletion' else blur(images)
    scores = []
    steps = min(steps, count)
    changed = [round(count * step / steps) for step in range(steps + 1)]
    for number in changed:
        first = ranks < number
        keep_first = mode == 'insertion'
        scores.append(score(torch.where(first == keep_first, images, empty)))
    shares = torch.tensor(changed, dtype=torch.float64) / count
    return PerturbationCurves(shares, torch.stack(scores, dim=1).double().cpu())


def blur(images: Tensor, share: float = 0.1) -> Tensor:
    """Return images without details, by a Gaussian filter.

    Args:
        images: ``(B, C, H, W)``.
        share: Standard deviation, as a share of the height.

    Example:
        >>> images = torch.zeros(1, 1, 32, 16)
        >>> images[..., 8:] = 1
        >>> blurred = blur(images)
        >>> 0 < float(blurred[0, 0, 16, 0]) < float(blurred[0, 0, 16, 15]) < 1
        True
    """
    for dim, size in ((2, images.shape[2]), (3, images.shape[3])):
        sigma = max(share * images.shape[2], 1e-3)
        places = torch.arange(size, dtype=images.dtype, device=images.device)
        # Rows that sum to 1: what lies beyond the border doesn't count
        weights = -(places[:, None] - places).square() / (2 * sigma**2)
        weights = weights.softmax(dim=1)
        images = torch.tensordot(images, weights, dims=([dim], [1])).movedim(-1, dim)
    return images
