"""Signed distances to the rounded primitives that make up a figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

# Width of the blend between neighboring primitives, meters. With a wider one a hanging
# arm merges into the hip.
BLEND = 0.010
# As tensors, since a number would be wrapped and converted in every operation.
BLEND_WIDTH, SHARPNESS = torch.tensor([BLEND]), torch.tensor([1 / BLEND])


@dataclass(frozen=True)
class Primitive:
    """One rounded shape in the frame of the figure (meters, y up, z forward).

    A single formula covers capsules, rounded cones, ellipsoids, rounded boxes and
    flat-ended cones: a core box of half extents ``half``, grown by a radius that
    changes linearly along the local y axis, stretched along the local x and z axes,
    cut flat ``cap`` meters beyond the core's ends.

    Args:
        center: Center of the core, ``(3,)``.
        axes: Rows are the local x, y and z axes, ``(3, 3)``, orthonormal.
        half: Half extents of the core, ``(3,)``.
        radius: Radius at the middle of the core.
        taper: Change of the radius per meter along local y.
        stretch: Factors on the local x and z extents.
        cap: How far the shape reaches beyond the core along y. None leaves the
            round end.
        part: Part it belongs to, see :class:`~.body_parts.Part`.
        limb: Whether patterns follow this primitive's own axis.
    """

    center: np.ndarray
    axes: np.ndarray
    half: np.ndarray
    radius: float
    taper: float
    stretch: tuple[float, float]
    cap: float | None
    part: int
    limb: bool = False


def _norm(vector: np.ndarray) -> float:
    """Return the length of a vector, ``(3,)``."""
    return math.sqrt(vector.dot(vector))


def _cross(one: np.ndarray, other: np.ndarray) -> list[float]:
    """Return the cross product of two vectors, ``(3,)``; np.cross takes ten times."""
    a, b, c = one.tolist()
    x, y, z = other.tolist()
    return [b * z - c * y, c * x - a * z, a * y - b * x]


def segment(
    start: np.ndarray,
    end: np.ndarray,
    radii: tuple[float, float],
    part: int,
    stretch: tuple[float, float] = (1.0, 1.0),
    forward: np.ndarray | None = None,
    cap: float | None = None,
    limb: bool = False,
) -> Primitive:
    """Return a rounded cone from one point to another.

    Args:
        start: First end of the axis, ``(3,)``.
        end: Second end of the axis, ``(3,)``, not equal to the first.
        radii: Radius at the first and at the second end.
        part: Body part.
        stretch: Factors on the two widths across the axis (sideways, forward).
        forward: Direction that becomes local z. Defaults to the figure's front.
        cap: See :class:`Primitive`.
        limb: See :class:`Primitive`.
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    forward = np.array([0.0, 0.0, 1.0]) if forward is None else forward
    y = end - start
    length = _norm(y)
    y = y / length
    z = forward - y * (forward @ y)
    if _norm(z) < 1e-3:  # axis along `forward`: any perpendicular will do
        z = np.array([0.0, 1.0, 0.0]) - y * y[1]
    z = z / _norm(z)
    axes = np.array([_cross(y, z), y, z])
    half = np.array([0.0, length / 2, 0.0])
    taper = (radii[1] - radii[0]) / length
    center = (start + end) / 2
    radius = (radii[0] + radii[1]) / 2
    return Primitive(center, axes, half, radius, taper, stretch, cap, part, limb)


def box(
    center: np.ndarray, half: Sequence[float], radius: float, part: int
) -> Primitive:
    """Return a rounded box along the figure's axes; ``half`` excludes the rounding."""
    core = np.asarray(half, float)
    return Primitive(center, np.eye(3), core, radius, 0.0, (1.0, 1.0), None, part)


class Shape:
    """Primitives packed for evaluation at many points at once.

    Points are columns, ``(3, N)``, so that every operation runs along memory.

    Args:
        primitives: The primitives of the shape.
        rotation: Rotation from the figure's frame to the world's, ``(3, 3)``.
        position: Position of the figure's origin in the world, ``(3,)``.

    Example:
        >>> import torch
        >>> from hplreid.synthpeds.figure import Part, Shape
        >>> from hplreid.synthpeds.figure.signed_distance import segment
        >>> capsule = segment([0, 0, 0], [0, 1, 0], (0.2, 0.2), Part.ARM)
        >>> Shape([capsule])(torch.tensor([[0.5], [0.5], [0.0]]))  # one point
        tensor([0.3000])
    """

    def __init__(
        self,
        primitives: list[Primitive],
        rotation: np.ndarray | None = None,
        position: np.ndarray | None = None,
    ) -> None:
        rotation = np.eye(3) if rotation is None else rotation
        position = np.zeros(3) if position is None else position
        inverse = np.stack(
            [[1 / p.stretch[0], 1.0, 1 / p.stretch[1]] for p in primitives]
        )
        axes = np.stack([p.axes for p in primitives]) @ rotation.T
        center = np.stack([p.center for p in primitives]) @ rotation.T + position
        matrix = inverse[:, :, None] * axes
        offset = -np.einsum('pij,pj->pi', matrix, center)
        half = np.stack([p.half for p in primitives])
        half = half * inverse
        radius = np.array([p.radius for p in primitives])
        taper = np.array([p.taper for p in primitives])
        cap = np.array([1e3 if p.cap is None else p.cap for p in primitives])
        # A lower bound of the true distance: the smallest stretch, and the slope of
        # the cone. Sphere tracing then never steps through a surface.
        scale = np.minimum(1.0, 1 / inverse.max(1)) / np.sqrt(1 + taper**2)
        hx, hy, hz = half.T
        table = np.stack([hy, -hy, radius, taper, cap, scale, hx, hz])
        self._pack(
            torch.tensor(matrix.transpose(1, 0, 2), dtype=torch.float32),
            torch.tensor(offset.T[..., None], dtype=torch.float32),
            torch.tensor(table[..., None], dtype=torch.float32),
            torch.tensor([p.part for p in primitives]),
            torch.tensor([p.limb for p in primitives]),
        )

    def _pack(
        self,
        matrix: torch.Tensor,
        offset: torch.Tensor,
        table: torch.Tensor,
        part: torch.Tensor,
        limb: torch.Tensor,
    ) -> None:
        self._matrix, self._offset = matrix, offset
        self.table, self.part, self.limb = table, part, limb
        # Kept, since `local` and `distances` run some hundred times an image.
        self._size = len(part)
        self._flat_matrix = matrix.reshape(-1, 3)
        self._flat_offset = offset.reshape(-1, 1)
        boxes = np.flatnonzero((table[6:].numpy() != 0).any(0))
        self.first_box = int(boxes[0]) if len(boxes) else self._size
        self._columns = split_columns(table, self.first_box)

    def __len__(self) -> int:
        return self._size

    def subset(self, keep: np.ndarray) -> 'Shape':
        """Return the shape of the primitives where ``keep`` ``(P,)`` is true."""
        rows = torch.as_tensor(np.flatnonzero(keep))
        other = object.__new__(Shape)
        other._pack(
            self._matrix[:, rows],
            self._offset[:, rows],
            self.table[:, rows],
            self.part[rows],
            self.limb[rows],
        )
        return other

    def local(self, points: torch.Tensor) -> torch.Tensor:
        """Return coordinates in every primitive's own frame, ``(3, P, N)``."""
        flat = torch.addmm(self._flat_offset, self._flat_matrix, points)
        return flat.view(3, self._size, -1)

    def distances(self, points: torch.Tensor) -> torch.Tensor:
        """Return lower bounds of the distances to each primitive, ``(P, N)``.

        Args:
            points: World positions, ``(3, N)``.
        """
        return self.local_distances(self.local(points))

    def local_distances(self, local: torch.Tensor) -> torch.Tensor:
        """Return :meth:`distances` from :meth:`local`, which is overwritten."""
        return local_distances(local, self._columns)

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Return lower bounds of the distance to the smooth union, ``(N,)``."""
        return smooth_union(self.distances(points))


class Columns(NamedTuple):
    """Parameters of primitives as columns, ``(P, 1)`` or ``(P, N)`` each.

    Args:
        hy: Half extent of the core along y; ``low`` is its negative.
        low: Least y of the core.
        radius: Radius at the middle of the core.
        taper: Change of the radius per meter along y.
        cap: Reach beyond the core along y.
        scale: Factor that makes the distance a lower bound.
        hx: Half extent along x of the rows from ``first_box`` on.
        hz: Half extent along z of these rows.
        first_box: Row from which on a core may be wider than a line.
    """

    hy: torch.Tensor
    low: torch.Tensor
    radius: torch.Tensor
    taper: torch.Tensor
    cap: torch.Tensor
    scale: torch.Tensor
    hx: torch.Tensor
    hz: torch.Tensor
    first_box: int


def split_columns(table: torch.Tensor, first_box: int) -> Columns:
    """Return the columns of a table of parameters, ``(8, P, 1)`` or ``(8, P, N)``."""
    hy, low, radius, taper, cap, scale, hx, hz = table.unbind(0)
    wide = slice(first_box, None)
    return Columns(hy, low, radius, taper, cap, scale, hx[wide], hz[wide], first_box)


def local_distances(local: torch.Tensor, columns: Columns) -> torch.Tensor:
    """Return lower bounds of the distances to each primitive, ``(P, N)``.

    Args:
        local: Coordinates in the primitives' own frames, ``(3, P, N)``; overwritten.
        columns: The primitives.
    """
    x, y, z = local.unbind(0)
    # Not torch.clamp, which takes three times as long on columns.
    grown = torch.maximum(y, columns.low)
    torch.minimum(grown, columns.hy, out=grown)
    grown.mul_(columns.taper).add_(columns.radius)
    beyond = y.abs_().sub_(columns.hy)
    total = beyond.clamp(min=0).square_()
    if columns.first_box < x.shape[0]:
        x[columns.first_box :].abs_().sub_(columns.hx).clamp_(min=0)
        z[columns.first_box :].abs_().sub_(columns.hz).clamp_(min=0)
    distance = total.addcmul_(x, x).addcmul_(z, z).sqrt_().sub_(grown)
    beyond.sub_(columns.cap)
    return torch.maximum(distance, beyond, out=distance).mul_(columns.scale)


def smooth_union(distances: torch.Tensor) -> torch.Tensor:
    """Return the soft minimum over the first dimension: ``(P, N)`` to ``(N,)``.

    The log-sum-exp form is symmetric in the primitives, so their order does not
    matter. It lies at most ``BLEND * log(P)`` below the plain minimum.
    """
    nearest = distances.amin(0)
    weight = (nearest - distances).mul_(SHARPNESS).exp_().sum(0)
    return nearest.sub_(weight.log_().mul_(BLEND_WIDTH))


def nearest_rows(distances: torch.Tensor) -> torch.Tensor:
    """Return the first row with the least value of each column, ``(N,)``.

    The same as ``distances.argmin(0)``, which takes a hundred times as long.
    """
    rows = torch.arange(len(distances), dtype=torch.int32)[:, None]
    least = distances == distances.amin(0)
    return torch.where(least, rows, rows[-1:]).amin(0).long()
