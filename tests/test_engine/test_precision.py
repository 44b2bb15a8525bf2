"""'auto' asks the device, what is asked for is obeyed, and both are said."""

import pytest
import torch
from mmengine.config import Config

from hplreid.engine.config import find_problems
from hplreid.engine.precision import choose_precision


def cpu_with(monkeypatch, capability, amx=False, avx512_bf16=False):
    """Make PyTorch's own checks say what a CPU has."""
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: capability)
    monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: amx, False)
    monkeypatch.setattr(
        torch.cpu, '_is_avx512_bf16_supported', lambda: avx512_bf16, False
    )


@pytest.mark.parametrize(
    ('capability', 'has', 'expected'),
    [
        ('AVX2', {}, 'fp32 on cpu (this CPU only emulates bf16)'),
        ('NEON', {}, 'fp32 on cpu (this CPU only emulates bf16)'),
        ('AVX512', {}, 'fp32 on cpu (this CPU only emulates bf16)'),
        ('AVX512', dict(avx512_bf16=True), 'bf16 on cpu (this CPU has AVX512-BF16)'),
        ('AVX512', dict(amx=True, avx512_bf16=True), 'bf16 on cpu (this CPU has AMX)'),
        # Held to AVX2 by ATEN_CPU_CAPABILITY
        ('AVX2', dict(amx=True), 'fp32 on cpu (this CPU only emulates bf16)'),
    ],
)
def test_cpus(monkeypatch, capability, has, expected):
    cpu_with(monkeypatch, capability, **has)
    assert str(choose_precision(device='cpu')) == expected


def test_a_pytorch_without_the_checks(monkeypatch):
    cpu_with(monkeypatch, 'AVX512')
    for check in ('_is_amx_tile_supported', '_is_avx512_bf16_supported'):
        monkeypatch.delattr(torch.cpu, check)
    assert choose_precision(device='cpu').name == 'fp32'


@pytest.mark.parametrize(
    ('capability', 'expected'),
    [
        ((9, 0), 'bf16 on cuda (compute capability 9.0 computes bf16)'),
        ((8, 0), 'bf16 on cuda (compute capability 8.0 computes bf16)'),
        ((7, 5), 'fp16 on cuda (compute capability 7.5 only emulates bf16)'),
    ],
)
def test_gpus(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: capability)
    assert str(choose_precision(device='cuda:1')) == expected


def test_other_devices_get_fp32():
    found = choose_precision(device='mps')
    assert (found.name, found.warning) == ('fp32', '')
    assert found.reason == "bf16 is not known to be fast on 'mps'"


def test_what_is_asked_for_is_obeyed_with_a_warning(monkeypatch):
    cpu_with(monkeypatch, 'AVX2')
    found = choose_precision('bf16', 'cpu')
    assert (found.name, found.dtype) == ('bf16', torch.bfloat16)
    assert found.warning == (
        "precision='bf16' will be slow: this CPU only emulates bf16. 'auto' avoids it."
    )
    cpu_with(monkeypatch, 'AVX512', amx=True)
    assert not choose_precision('bf16', 'cpu').warning
    assert str(choose_precision('fp32', 'cpu')) == 'fp32 on cpu'


def test_errors():
    with pytest.raises(ValueError, match=r"'half': expected one of \['auto', 'fp32'"):
        choose_precision('half', 'cpu')
    with pytest.raises(ValueError, match="'fp16' needs a CUDA device, and this is"):
        choose_precision('fp16', 'cpu')


@pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU can')
def test_a_precision_that_the_device_lacks_is_said_before_training():
    wrapper = dict(type='AutocastOptimWrapper', precision='fp16')
    assert find_problems(Config(dict(optim_wrapper=wrapper))) == [
        "optim_wrapper: precision='fp16' needs a CUDA device, and this is 'cpu': use "
        "'auto', 'bf16' or 'fp32'."
    ]


@pytest.mark.parametrize('name', ['fp32', 'bf16'])
def test_autocast(name):
    precision = choose_precision(name, 'cpu')
    with precision.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == precision.dtype
