"""Signed distances to the rounded primitives that make up a figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

# Width of the blend between neighboring primitives, meters. With a wider one a hanging
# arm merges into the hip.
BLEND = 0.010


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
    length = float(np.linalg.norm(end - start))
    y = (end - start) / length
    z = forward - y * (forward @ y)
    if np.linalg.norm(z) < 1e-3:  # axis along `forward`: any perpendicular will do
        z = np.array([0.0, 1.0, 0.0]) - y * y[1]
    z = z / np.linalg.norm(z)
    axes = np.stack([np.cross(y, z), y, z])
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
        self._matrix = torch.tensor(matrix.transpose(1, 0, 2), dtype=torch.float32)
        self._offset = torch.tensor(offset.T[..., None], dtype=torch.float32)
        columns = np.stack([*half.T, radius, taper, cap, scale])
        self._columns = torch.tensor(columns[..., None], dtype=torch.float32)
        self.part = torch.tensor([p.part for p in primitives])
        self.limb = torch.tensor([p.limb for p in primitives])

    def __len__(self) -> int:
        return len(self.part)

    def subset(self, keep: np.ndarray) -> 'Shape':
        """Return the shape of the primitives where ``keep`` ``(P,)`` is true."""
        mask = torch.as_tensor(keep)
        other = object.__new__(Shape)
        other._matrix = self._matrix[:, mask]
        other._offset = self._offset[:, mask]
        other._columns = self._columns[:, mask]
        other.part, other.limb = self.part[mask], self.limb[mask]
        return other

    def local(self, points: torch.Tensor) -> torch.Tensor:
        """Return coordinates in every primitive's own frame, ``(3, P, N)``."""
        count = len(self)
        flat = torch.addmm(
            self._offset.reshape(3 * count, 1),
            self._matrix.reshape(3 * count, 3),
            points,
        )
        return flat.reshape(3, count, -1)

    def distances(self, points: torch.Tensor) -> torch.Tensor:
        """Return lower bounds of the distances to each primitive, ``(P, N)``.

        Args:
            points: World positions, ``(3, N)``.
        """
        hx, hy, hz, radius, taper, cap, scale = self._columns
        x, y, z = self.local(points)
        grown = torch.minimum(torch.maximum(y, -hy), hy).mul_(taper).add_(radius)
        beyond = y.abs_().sub_(hy)
        total = beyond.clamp(min=0).square_()
        x = x.abs_().sub_(hx).clamp_(min=0)
        z = z.abs_().sub_(hz).clamp_(min=0)
        total.addcmul_(x, x).addcmul_(z, z)
        distance = total.sqrt_().sub_(grown)
        return torch.maximum(distance, beyond.sub_(cap)).mul_(scale)

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Return lower bounds of the distance to the smooth union, ``(N,)``."""
        return smooth_union(self.distances(points))


def smooth_union(distances: torch.Tensor, blend: float = BLEND) -> torch.Tensor:
    """Return the soft minimum over the first dimension: ``(P, N)`` to ``(N,)``.

    The log-sum-exp form is symmetric in the primitives, so their order does not
    matter. It lies at most ``blend * log(P)`` below the plain minimum.
    """
    nearest = distances.amin(0)
    weight = (nearest - distances).mul_(1 / blend).exp_().sum(0)
    return nearest - blend * weight.log_()
