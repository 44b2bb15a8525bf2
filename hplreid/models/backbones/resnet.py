"""torchvision's residual networks, as a tower that gives a map."""

from pathlib import Path

import torchvision
from torch import Tensor, nn, zeros

from hplreid.registry import BACKBONES
from hplreid.utils.argument_checks import check_one_of

from .tower import Tower, find_execution_problems, set_memory_format
from .vision_weights import (
    describe_skipped,
    find_torchvision_weights,
    read_vision_state,
)
from .weights import load_tower

_RESNETS = ('resnet*', 'resnext*', 'wide_resnet*')


@BACKBONES.register_module()
class ResNetEncoder(Tower):
    """A ResNet of torchvision's without its pooling and classifier.

    Args:
        arch: torchvision name, ``'resnet50'`` say.
        pretrained: A file in torchvision's layout, or the name of its weights (see
            :func:`find_torchvision_weights`); None for random weights.
        last_stride: Stride of the last stage: 1 keeps its map as large as the one
            before, 16 pixels a step (`Bag of Tricks
            <https://arxiv.org/abs/1903.07071>`_, section 3.5); 2 as on ImageNet.
        channels_last: Keep weights and maps in the channels-last memory format, in
            which convolutions are faster on many devices. Equal but for rounding.
        compiled: See :class:`Tower`.

    Raises:
        ValueError: torchvision has no such ResNet, or another stride.
        WeightsError: The weights are missing or don't fit.
    """

    def __init__(
        self,
        arch: str = 'resnet50',
        pretrained: str | None = None,
        last_stride: int = 1,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        super().__init__(compiled=compiled)
        _check_arch(arch)
        check_one_of('last_stride', last_stride, (1, 2))
        path = (
            None if pretrained is None else find_torchvision_weights(arch, pretrained)
        )
        self.resnet = torchvision.models.get_model(arch, weights=None)
        self.width: int = self.resnet.fc.in_features
        del self.resnet.avgpool, self.resnet.fc
        if last_stride == 1:
            for conv in self.resnet.layer4[0].modules():
                if isinstance(conv, nn.Conv2d):
                    conv.stride = (1, 1)
        if path is not None:
            self._load(path)
        self.memory_format = set_memory_format(self, channels_last)

    @property
    def feature_dims(self) -> dict[str, int]:
        """The feature that :meth:`forward` returns, and its channels."""
        return {'map': self.width}

    @classmethod
    def find_problems(
        cls,
        arch: str = 'resnet50',
        pretrained: str | None = None,
        compiled: bool = False,
        **_: object,
    ) -> list[str]:
        """Return a message for each problem that keeps this tower from being built."""
        problems = find_execution_problems(compiled)
        try:
            _check_arch(arch)
            if pretrained is not None:
                find_torchvision_weights(arch, pretrained)
        except ValueError as error:
            problems.append(str(error))
        return problems

    def _load(self, path: Path) -> None:
        state = read_vision_state(path, 'resnet')
        own = self.resnet.state_dict()
        # Files from before torch 0.4.1 don't have these counts, which nothing reads
        for name in own:
            if name.endswith('num_batches_tracked'):
                state.setdefault(name, zeros((), dtype=own[name].dtype))
        load_tower(
            self.resnet,
            state,
            name=type(self).__name__,
            source=path,
            notes=describe_skipped([k for k in state if k not in own]),
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Encode images ``(B, 3, H, W)`` to ``map`` ``(B, width, H / 16, W / 16)``.

        With ``last_stride=2`` the map has ``H / 32`` rows; sizes are rounded up.
        """
        net = self.resnet
        images = images.contiguous(memory_format=self.memory_format)
        x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        return {'map': net.layer4(net.layer3(net.layer2(net.layer1(x))))}


def _check_arch(arch: str) -> None:
    known = torchvision.models.list_models(include=_RESNETS)
    if arch not in known:
        raise ValueError(
            f"arch='{arch}' is no ResNet of torchvision's: expected one of "
            f'{", ".join(known)}.'
        )
