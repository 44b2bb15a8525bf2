"""Export and its benchmark as programs, and the page about them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from .programs import run

pytest.importorskip('onnx', reason='the extra onnx is not installed')
pytest.importorskip('onnxscript', reason='the extra onnx is not installed')
pytest.importorskip('onnxruntime', reason='the extra onnx is not installed')
if torch.__version__ < '2.6':
    pytest.skip('needs torch 2.6', allow_module_level=True)

NAME = 'clip_tiny_synthpeds-t2i_sdm'
PAGE = (Path(__file__).resolve().parents[2] / 'docs' / 'deployment.md').read_text()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with what the page names: an exported model, and some images."""
    folder = tmp_path_factory.mktemp('deployment')
    done = run(
        *('deployment/export_onnx.py', NAME, folder / 'exported'),
        *('--weights', 'pretrained', '--int8'),
    )
    lines = [line for line in done.stdout.splitlines() if '.onnx: ' in line]
    names = ['exported/image', 'exported/text', 'exported-int8/image']
    for line, name in zip(lines, [*names, 'exported-int8/text'], strict=True):
        assert line.startswith(f'{folder / name}.onnx: ')
    assert 'of PyTorch' in lines[0]
    assert 'matrix products in 8 bits' in lines[2]
    gallery = folder / 'data/synthpeds/Market-1501-v15.09.15/bounding_box_test'
    gallery.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(9):
        pixels = generator.integers(256, size=(64, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(gallery / f'{number}.jpg')
    return folder


def test_python_of_the_page_runs_as_it_stands(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    codes = re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
    assert len(codes) == 2
    for code in codes:
        exec(compile(code, 'docs/deployment.md', 'exec'), {})
    path, shape = capsys.readouterr().out.splitlines()[-2:]
    assert path.endswith('.jpg')
    assert shape == '(2, 128)'


def test_speeds_are_tabulated(folder):
    gallery = folder / 'data/synthpeds/Market-1501-v15.09.15/bounding_box_test'
    done = run(
        *('analysis_tools/benchmark_deployment.py', NAME, gallery),
        *('--weights', 'pretrained', '--num', 4, '--batch', 2, '--rounds', 1),
    )
    rows = re.findall(r'^\| (\S.*?) +\| +(\d+)', done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == [
        *('plain loop', 'ours, PyTorch', 'ours, ONNX', 'ours, ONNX int8')
    ]
    assert all(int(speed) > 0 for _, speed in rows)


def test_a_missing_checkpoint_is_a_message(tmp_path):
    done = run(
        *('deployment/export_onnx.py', tmp_path / 'a.safetensors', tmp_path / 'out'),
        check=False,
    )
    assert done.returncode == 2
    assert 'does not exist' in done.stderr
    assert not (tmp_path / 'out').exists()
