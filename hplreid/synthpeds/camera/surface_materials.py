"""Colors and parts of the surface points of a dressed person."""

import torch

from ..figure.body_parts import Part
from ..figure.skeleton import Skeleton, hem_height
from ..wardrobe.identity import Identity
from .sphere_tracing import Hits

_SLOT = {
    Part.FACE: 'skin', Part.ARM: 'skin', Part.LEG: 'skin', Part.HAIR: 'hair',
    Part.HAT: 'hat', Part.GLASSES: 'glasses', Part.UPPER: 'upper',
    Part.INNER: 'inner', Part.PRINT: 'second', Part.LOWER: 'lower',
    Part.SHOES: 'shoes', Part.BAG: 'bag', Part.STRAP: 'bag',
}  # fmt: skip


def _pattern(
    person: Identity, across: torch.Tensor, along: torch.Tensor
) -> torch.Tensor | None:
    """Return where the second color of the pattern shows, ``(M,)`` bool or None."""
    d = person.details
    kind = person.attributes.pattern
    if kind == 'stripes':
        pitch = 0.085 * d.scale
        return ((along / pitch + d.phase[0]) % 1.0) < 0.32 + 0.2 * d.phase[1]
    if kind == 'vertical stripes':
        pitch = 0.062 * d.scale
        return ((across / pitch + d.phase[0]) % 1.0) < 0.30 + 0.15 * d.phase[1]
    if kind == 'checks':
        pitch = 0.095 * d.scale
        one = ((along / pitch + d.phase[0]) % 1.0) < 0.36
        two = ((across / pitch + d.phase[1]) % 1.0) < 0.36
        return one | two
    return None


def _chest_print(person: Identity, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return where a chest print shows, ``(M,)`` bool.

    Args:
        person: The identity.
        x: Sideways coordinate relative to the breastbone, meters, ``(M,)``.
        y: Upward coordinate relative to the breastbone, meters, ``(M,)``.
    """
    d = person.details
    x, y = (x - d.print_at[0]) / d.print_at[2], (y - d.print_at[1]) / d.print_at[2]
    if d.print_kind == 0:
        return x.square() + y.square() < 1
    if d.print_kind == 1:
        return (x.abs() < 1.25) & (y.abs() < 0.7)
    if d.print_kind == 2:  # lettering: blocks on two lines
        cells = ((x * 2.6).floor() + (y * 2.0).floor() * 3) % 4 != 1
        return (x.abs() < 1.4) & (y.abs() < 0.62) & ((y * 2.0) % 1 > 0.2) & cells
    return (x.abs() + y.abs()) < 1.25


class Surface:
    """Parts and colors of the points where rays hit a person.

    Args:
        person: The identity.
        bones: The posed skeleton.
        body: The points in the figure's frame, meters, ``(3, M)``.
        facing: Unit normals in the figure's frame, ``(3, M)``.
        hits: What else is known of the points.
    """

    def __init__(
        self,
        person: Identity,
        bones: Skeleton,
        body: torch.Tensor,
        facing: torch.Tensor,
        hits: Hits,
    ) -> None:
        self.person, self.bones = person, bones
        self.body, self.facing = body, facing
        self.part, self.limb = hits.part.clone(), hits.limb
        self.limb_across, self.limb_along = hits.across, hits.along
        self.in_second_color = torch.zeros_like(self.limb)

    def parts_and_colors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return parts, ``(M,)``, and linear colors in 0-1, ``(M, 3)``."""
        self._paint_clothes()
        self._paint_straps()
        self._paint_face()
        slots = {part: self.person.rgb[slot] for part, slot in _SLOT.items()}
        table = torch.zeros(len(Part), 3)
        for part, rgb in slots.items():
            table[part] = torch.as_tensor(rgb, dtype=torch.float32)
        color = table[self.part]
        other = torch.as_tensor(self.person.rgb['second'], dtype=torch.float32)
        mixed = self.in_second_color & (self.part == Part.UPPER)
        color[mixed] = other
        return self.part, color * self._brightness()[:, None]

    def _paint_clothes(self) -> None:
        person, bones = self.person, self.bones
        attributes, d, u = person.attributes, person.details, bones.unit
        x, y, z = self.body
        torso = ~self.limb & ((self.part == Part.UPPER) | (self.part == Part.LOWER))
        front = self.facing[2] > 0.05
        if attributes.lower == 'none':
            self.part[self.part == Part.LOWER] = Part.UPPER
        upper = self.part == Part.UPPER
        # Below the hem the trunk wears the lower garment.
        if attributes.upper not in ('coat', 'dress'):
            below_hem = y < bones.hip[1] + d.hem - 0.035 * u
            trunk = torso & upper & below_hem
            self.part[trunk & (attributes.lower != 'none')] = Part.LOWER
            upper = self.part == Part.UPPER
        self._cover_legs()
        across = torch.where(self.limb, self.limb_across, torch.atan2(x, z) * 0.15)
        along = torch.where(self.limb, self.limb_along, y)
        where = _pattern(person, across, along)
        if where is not None:
            self.in_second_color = where
        if attributes.pattern == 'block':
            edge = bones.chest[1] + (d.phase[0] - 0.6) * 0.12
            self.in_second_color = torch.where(
                self.limb, torch.tensor(d.phase[1] < 0.5), y > edge
            )
        if attributes.pattern == 'print':
            shown = _chest_print(person, x, y - float(bones.chest[1]))
            self.part[shown & upper & ~self.limb & (self.facing[2] > 0.25)] = Part.PRINT
        chest_top = bones.neck[1] - 0.005
        if attributes.inner:
            wide = d.opening * (0.5 + (y - bones.hip[1]).clamp(0, 0.6))
            gap = (x.abs() < wide) & front & ~self.limb & upper & (z > 0.02)
            low = bones.hip[1] + d.hem
            self.part[gap & (y > low)] = Part.INNER
            self.part[gap & (y <= low) & (attributes.lower != 'none')] = Part.LOWER
        elif attributes.upper in ('t-shirt', 'dress', 'shirt'):
            deep = 0.055 if attributes.upper != 't-shirt' else 0.035
            neckline = y > chest_top - deep + x.abs() * 0.9
            self.part[upper & front & ~self.limb & neckline] = Part.FACE

    def _cover_legs(self) -> None:
        """Show cloth where a leg would poke through a skirt, dress or coat."""
        attributes = self.person.attributes
        end = hem_height(self.person, self.bones)
        if end is None:
            return
        leg = (self.part == Part.LEG) | (self.part == Part.LOWER) & self.limb
        cloth = Part.LOWER if 'skirt' in attributes.lower else Part.UPPER
        self.part[leg & (self.body[1] > end)] = cloth

    def _paint_straps(self) -> None:
        attributes, bones, d = self.person.attributes, self.bones, self.person.details
        x, y, _ = self.body
        cloth = (self.part == Part.UPPER) | (self.part == Part.INNER)
        cloth = (cloth | (self.part == Part.PRINT)) & ~self.limb
        u = bones.unit
        if attributes.bag == 'backpack':
            band = (x.abs() - 0.098 * u).abs() < 0.021
            high = y > bones.waist[1] + 0.07 * u
            self.part[cloth & band & high & (self.facing[2] > -0.6)] = Part.STRAP
        elif attributes.bag == 'shoulder bag':
            top, low = bones.neck[1] - 0.03, bones.hip[1] + 0.08 * u
            share = (y - low) / (top - low)
            line = d.bag_side * (0.15 - 0.24 * share) * u
            band = ((x - line).abs() < 0.017) & (share > 0) & (share < 1.1)
            self.part[cloth & band] = Part.STRAP

    def _paint_face(self) -> None:
        attributes, bones, d = self.person.attributes, self.bones, self.person.details
        u = bones.unit * self.person.build.head
        rel = self.body - torch.as_tensor(bones.head, dtype=torch.float32)[:, None]
        sin, cos = float(bones.face[0]), float(bones.face[2])
        x = rel[0] * cos - rel[2] * sin
        z = rel[0] * sin + rel[2] * cos
        y = rel[1]
        skin = self.part == Part.FACE
        ahead = skin & (z > 0.035 * u)
        eye = ((x.abs() - 0.033 * u) / (0.015 * u)).square() + (
            (y - 0.008 * u) / (0.008 * u)
        ).square() < 1
        brow = ((x.abs() - 0.034 * u).abs() < 0.02 * u) & (
            (y - 0.027 * u).abs() < 0.005 * u
        )
        mouth = (x.abs() < 0.024 * u) & ((y + 0.062 * u).abs() < 0.006 * u)
        self.dark = ahead & (eye | brow)
        self.lips = ahead & mouth
        beard = skin & (y < -0.042 * u) & (y > -0.115 * u) & (z > -0.01 * u)
        self.beard = beard & ~mouth & torch.tensor(d.beard)
        if attributes.glasses != 'none':
            lens = ((x.abs() - 0.036 * u).abs() < 0.027 * u) & (
                (y - 0.008 * u).abs() < 0.019 * u
            )
            bridge = (y - 0.015 * u).abs() < 0.006 * u
            arm = bridge & (z > -0.01 * u) & (x.abs() > 0.05 * u)
            rim = lens | (bridge & (x.abs() < 0.02 * u))
            if attributes.glasses == 'glasses':
                inside = ((x.abs() - 0.036 * u).abs() < 0.019 * u) & (
                    (y - 0.008 * u).abs() < 0.011 * u
                )
                rim = rim & ~inside
            self.part[(ahead & rim) | (skin & arm)] = Part.GLASSES

    def _brightness(self) -> torch.Tensor:
        """Return the brightness factor of folds, seams and features, around 1."""
        attributes, d, bones = self.person.attributes, self.person.details, self.bones
        x, y, _ = self.body
        p = d.phase * 6.28
        cloth = (self.part == Part.UPPER) | (self.part == Part.LOWER)
        fold = torch.sin(19 * y + 5 * torch.sin(8 * x + p[0]) + p[1])
        fold = fold + torch.sin(16 * x + 3 * torch.sin(9 * y + p[2]))
        tone = 1 + 0.06 * fold * cloth
        tone = torch.where(self.part == Part.HAIR, 1 + 0.1 * torch.sin(160 * x), tone)
        front = (self.facing[2] > 0.3) & ~self.limb & (self.part == Part.UPPER)
        if attributes.upper in ('shirt', 'jacket', 'coat') and not attributes.inner:
            tone = torch.where(front & (x.abs() < 0.007), tone * 0.6, tone)
        if attributes.upper == 'hoodie':  # the pouch pocket
            pocket = (x.abs() < 0.11) & ((y - bones.waist[1] + 0.03).abs() < 0.006)
            tone = torch.where(front & pocket, tone * 0.65, tone)
        if attributes.lower == 'jeans':  # worn thighs, darker seams
            thigh = self.limb & (self.part == Part.LOWER)
            worn = (1 - (self.limb_along / 0.2).square()).clamp(0, 1) * self.facing[2]
            tone = torch.where(thigh, tone * (1 + 0.25 * worn.clamp(min=0)), tone)
        tone = torch.where(self.part == Part.SHOES, self._shoe_brightness(tone), tone)
        skin = self.part == Part.FACE
        tone = torch.where(self.dark & skin, tone * 0.12, tone)
        tone = torch.where(self.lips & skin, tone * 0.55, tone)
        return torch.where(self.beard & skin, tone * 0.25, tone)

    def _shoe_brightness(self, tone: torch.Tensor) -> torch.Tensor:
        if self.person.attributes.shoes == 'sneakers':
            return tone
        return tone * 0.85
