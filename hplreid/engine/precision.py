"""The precision of forward passes, which ``'auto'`` leaves to the device."""

from dataclasses import dataclass

import torch
from mmengine.device import get_device

_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
PRECISIONS = ('auto', *_DTYPES)
"""What a config or a flag can ask for."""


@dataclass(frozen=True)
class Precision:
    """A precision on a device.

    Attributes:
        name: ``'fp32'``, ``'bf16'`` or ``'fp16'``.
        device: The device.
        reason: Why ``'auto'`` chose it; empty where it was asked for.
        warning: What is wrong with it on this device; empty if nothing is.

    Example:
        >>> Precision('fp32', torch.device('cpu'), 'this CPU only emulates bf16')
        fp32 on cpu (this CPU only emulates bf16)
    """

    name: str
    device: torch.device
    reason: str = ''
    warning: str = ''

    def __repr__(self) -> str:
        why = f' ({self.reason})' if self.reason else ''
        return f'{self.name} on {self.device.type}{why}'

    @property
    def dtype(self) -> torch.dtype:
        """The type of matrix products."""
        return _DTYPES[self.name]

    def autocast(self) -> torch.autocast:
        """Return a context in which matrix products have the precision."""
        mixed = self.name != 'fp32'
        dtype = self.dtype if mixed else None
        return torch.autocast(self.device.type, dtype, enabled=mixed)


def choose_precision(
    asked: str = 'auto', device: torch.device | str | None = None
) -> Precision:
    """Choose the precision of forward passes on a device.

    ``'auto'`` is bf16 where the device computes it natively: CUDA from compute
    capability 8.0, CPUs with AVX512-BF16 or AMX. Older GPUs get fp16, everything else
    fp32: where bf16 is emulated, a product takes some 30 times as long as in fp32.

    Args:
        asked: ``'auto'``, or ``'fp32'``, ``'bf16'`` or ``'fp16'``, which are obeyed.
        device: The device; defaults to the one that MMEngine trains on.

    Raises:
        ValueError: The precision is unknown, or fp16 without CUDA.

    Example:
        >>> choose_precision('fp32', 'cpu')
        fp32 on cpu
    """
    device = torch.device(device or get_device())
    if asked not in PRECISIONS:
        raise ValueError(f"precision='{asked}': expected one of {list(PRECISIONS)}.")
    if asked == 'fp16' and device.type != 'cuda':
        raise ValueError(
            f"precision='fp16' needs a CUDA device, and this is '{device.type}': use "
            "'auto', 'bf16' or 'fp32'."
        )
    native, why = _computes_bf16(device)
    if asked == 'auto':
        if native:
            return Precision('bf16', device, why)
        return Precision('fp16' if device.type == 'cuda' else 'fp32', device, why)
    warning = ''
    if asked == 'bf16' and not native:
        warning = f"precision='bf16' will be slow: {why}. 'auto' avoids it."
    return Precision(asked, device, warning=warning)


def _computes_bf16(device: torch.device) -> tuple[bool, str]:
    """Return whether a device computes bf16 natively, and a reason in words."""
    if device.type == 'cuda':
        major, minor = torch.cuda.get_device_capability(device)
        native = (major, minor) >= (8, 0)
        verb = 'computes' if native else 'only emulates'
        return native, f'compute capability {major}.{minor} {verb} bf16'
    if device.type != 'cpu':
        return False, f"bf16 is not known to be fast on '{device.type}'"
    # Kernels may be held to less than the CPU has (ATEN_CPU_CAPABILITY)
    if torch.backends.cpu.get_cpu_capability().startswith('AVX512'):
        for check, name in (
            ('_is_amx_tile_supported', 'AMX'),
            ('_is_avx512_bf16_supported', 'AVX512-BF16'),
        ):
            # Private, and absent in old releases of PyTorch
            if getattr(torch.cpu, check, bool)():
                return True, f'this CPU has {name}'
    return False, 'this CPU only emulates bf16'
