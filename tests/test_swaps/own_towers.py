"""Two towers as users write them: no base class of ours, and no word on widths."""

import torch
from torch import Tensor, nn

from hplreid.registry import BACKBONES


class _HalfInstanceNorm(nn.Module):
    """Instance norm for half of the channels, batch norm for the others (IBN-a)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.half = channels // 2
        self.instance = nn.InstanceNorm2d(self.half, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.half)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``(B, C, H, W)``."""
        first, second = x[:, : self.half], x[:, self.half :]
        return torch.cat([self.instance(first), self.batch(second)], dim=1)


@BACKBONES.register_module()
class OwnResNetIBN(nn.Module):
    """Two residual blocks with IBN; it returns a map."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, stride=4, padding=3)
        self.convs = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1), _HalfInstanceNorm(width)
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, width, H / 4, W / 4)``."""
        x = self.stem(x)
        for conv in self.convs:
            x = (x + conv(x)).relu()
        return x


@BACKBONES.register_module()
class OwnOSNet(nn.Module):
    """Two omni-scale blocks with a gate of their streams; it returns all stages."""

    def __init__(self, widths: tuple[int, int] = (8, 20)) -> None:
        super().__init__()
        self.stems = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=4, padding=1)
            for a, b in zip((3, widths[0]), widths, strict=True)
        )
        self.streams = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(w, w, k, padding=k // 2) for k in (1, 3, 5))
            for w in widths
        )
        self.gates = nn.ModuleList(nn.Conv2d(w, w, 1) for w in widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of both stages."""
        outs = []
        for stem, streams, gate in zip(
            self.stems, self.streams, self.gates, strict=True
        ):
            x = stem(x)
            for stream in streams:
                y = stream(x).relu()
                x = x + y * gate(y.mean((2, 3), keepdim=True)).sigmoid()
            outs.append(x)
        return outs
