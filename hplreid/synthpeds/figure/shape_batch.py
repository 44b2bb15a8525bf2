"""Evaluation of several shapes at once, each at its own points."""

from collections.abc import Sequence

import torch

from .signed_distance import (
    BLEND_WIDTH,
    SHARPNESS,
    Shape,
    local_distances,
    split_columns,
)

# A primitive that fills a shorter shape up: farther away than any other.
_FILLER = torch.tensor([0.0, 0.0, -1e3, 0.0, 1e3, 1.0, 0.0, 0.0])[:, None, None]
# Least exponent. A term of exp(-80) is lost in a sum of at least 1, and below exp(-87)
# the exponential takes ten times as long.
_LEAST = -80.0


class ShapeBatch:
    """Several shapes, each evaluated at its own points, in one pass.

    A call of a small tensor operation costs more than its arithmetic, so what works
    element by element is done for all shapes at once. The product and the sum are done
    shape by shape: how they round depends on the number of points, and a distance must
    not depend on what else is in the batch.

    Args:
        shapes: The shapes.
        counts: Number of points of each, at least 1.

    Example:
        >>> import torch
        >>> from hplreid.synthpeds.figure import Part, Shape, ShapeBatch
        >>> from hplreid.synthpeds.figure.signed_distance import segment
        >>> thin, thick = (
        ...     Shape([segment([0, 0, 0], [0, 1, 0], (radius, radius), Part.ARM)])
        ...     for radius in (0.2, 0.3)
        ... )
        >>> point = torch.tensor([[0.5], [0.5], [0.0]])
        >>> ShapeBatch([thin, thick], [1, 1])([point, point])
        tensor([0.3000, 0.2000])
    """

    def __init__(self, shapes: Sequence[Shape], counts: Sequence[int]) -> None:
        self.shapes, self.counts = shapes, counts
        if len(shapes) == 1:
            return
        height, total = max(len(shape) for shape in shapes), sum(counts)
        table = _FILLER.repeat(1, height, total)
        self._local = torch.zeros(3, height, total)
        self._own: list[torch.Tensor] = []
        for shape, columns, local in zip(
            shapes, table.split(counts, 2), self._local.split(counts, 2), strict=True
        ):
            columns[:, : len(shape)] = shape.table
            self._own.append(local[:, : len(shape)])
        first_box = min(shape.first_box for shape in shapes)
        self._columns = split_columns(table, first_box)

    def __call__(self, points: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return lower bounds of the distances to the smooth unions, ``(N,)``.

        Args:
            points: World positions of each shape's points, contiguous ``(3, N_i)``.
        """
        if len(self.shapes) == 1:
            return self.shapes[0](points[0])
        for own, shape, own_points in zip(self._own, self.shapes, points, strict=True):
            own.copy_(shape.local(own_points))
        distances = local_distances(self._local, self._columns)
        nearest = distances.amin(0)
        weights = torch.sub(nearest, distances, out=distances).mul_(SHARPNESS)
        weights.clamp_(min=_LEAST).exp_()
        total = torch.empty_like(nearest)
        for shape, count, terms, sums in zip(
            self.shapes,
            self.counts,
            weights.split(self.counts, 1),
            total.split(self.counts),
            strict=True,
        ):
            terms = terms[: len(shape)]
            # The sum of a single column depends on its stride.
            torch.sum(terms.contiguous() if count == 1 else terms, 0, out=sums)
        return nearest.sub_(total.log_().mul_(BLEND_WIDTH))
