"""How many operations a second a device can do at most."""

import torch

from hplreid.utils.measuring import time_call

from ..precision import Precision

# Dense products, in TFLOP/s, from the vendors' data sheets: bf16 summed in fp32, TF32,
# and fp32 without tensor cores. A device is known by a part of its name; the first
# entry that fits counts.
_DATA_SHEETS: dict[str, dict[str, float]] = {
    'H200': dict(bf16=989, tf32=494, fp32=67),
    'H100 PCIe': dict(bf16=756, tf32=378, fp32=51),
    'H100': dict(bf16=989, tf32=494, fp32=67),
    'A100': dict(bf16=312, tf32=156, fp32=19.5),
    'L40S': dict(bf16=362, tf32=183, fp32=91.6),
    'RTX 4090': dict(bf16=165, tf32=82.6, fp32=82.6),
    'RTX 3090': dict(bf16=71, tf32=35.6, fp32=35.6),
}
_PATIENCE = 1.0  # seconds; where a precision is emulated, one product says enough


def measure_product_flops(
    device: torch.device | str, precision: str, size: int | None = None
) -> float:
    """Measure the operations a second of a product of two square matrices.

    Args:
        device: The device.
        precision: ``'fp32'``, ``'bf16'`` or ``'fp16'``; fp32 obeys the setting of TF32.
        size: Rows of the matrices. Defaults to 8192 on a GPU and 1024 on a CPU.

    Returns:
        FLOP/s of the fastest of a few products; an addition and a multiplication are
        two.

    Example:
        >>> measure_product_flops('cpu', 'fp32', size=64) > 0
        True
    """
    device = torch.device(device)
    size = size or (8192 if device.type == 'cuda' else 1024)
    dtype = Precision(precision, device).dtype
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    times: list[float] = []
    while len(times) < 4 and sum(times) < _PATIENCE:
        times.append(time_call(lambda: a @ b)[0])
    return 2 * size**3 / min(times)


def data_sheet_flops(name: str, precision: str) -> float | None:
    """Return the operations a second in a GPU's data sheet, None if unknown.

    Args:
        name: The name of the device, as PyTorch has it.
        precision: ``'fp32'``, ``'tf32'``, ``'bf16'`` or ``'fp16'``.

    Example:
        >>> data_sheet_flops('NVIDIA H200', 'bf16')
        989000000000000.0
        >>> data_sheet_flops('a laptop', 'bf16') is None
        True
    """
    key = 'bf16' if precision == 'fp16' else precision
    for part, sheet in _DATA_SHEETS.items():
        if part in name:
            return sheet[key] * 1e12
    return None
