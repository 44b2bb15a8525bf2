"""Exported graphs with weights of 8 bits."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from hplreid.utils.atomic_files import atomic_path

from .errors import ExportError, import_extra
from .export import IMAGE_FILE, TEXT_FILE

_PRODUCTS = ('MatMul', 'Gemm')


def quantize_onnx(folder: str | Path, out: str | Path) -> list[str]:
    """Write a model whose matrix products have int8 weights.

    Weights are rounded channel by channel, activations for each batch anew by their
    range (ONNX Runtime's dynamic quantization), so that no images are needed. Features
    change: compare the scores.

    Args:
        folder: What :func:`.export_onnx` wrote.
        out: Another folder.

    Returns:
        A line for each file.

    Raises:
        ExportError: The folder has no exported model, ``out`` is the same one, or the
            tower is of convolutions, which are not quantized this way.

    Example:
        >>> quantize_onnx('exported', 'exported')
        Traceback (most recent call last):
        ...
        hplreid...ExportError: 'exported' has no image.onnx: ...
    """
    folder, out = Path(folder).expanduser(), Path(out).expanduser()
    if not (folder / IMAGE_FILE).is_file():
        raise ExportError(
            f"'{folder}' has no {IMAGE_FILE}: expected the folder that "
            'tools/deployment/export_onnx.py wrote.'
        )
    if folder.resolve() == out.resolve():
        raise ExportError(f"'{out}': give the model in 8 bits a folder of its own.")
    names = [n for n in (IMAGE_FILE, TEXT_FILE) if (folder / n).is_file()]
    return [_quantize(folder / name, out / name) for name in names]


def _quantize(path: Path, out: Path) -> str:
    onnx = import_extra('onnx')
    kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
    products = sum(kinds[kind] for kind in _PRODUCTS)
    if kinds['Conv'] > products:
        raise ExportError(
            f"'{path}': a tower of {kinds['Conv']} convolutions and {products} matrix "
            'products would be slower: dynamic quantization is for transformers.'
        )
    quantization = import_extra('onnxruntime.quantization')
    with tempfile.TemporaryDirectory() as scratch, atomic_path(out) as temporary:
        prepared, made = (Path(scratch) / name for name in ('prepared.onnx', out.name))
        _prepare(path, prepared)
        quantization.quantize_dynamic(
            prepared,
            made,
            op_types_to_quantize=['MatMul'],
            per_channel=True,
            reduce_range=True,  # products of CPUs without VNNI would overflow
            weight_type=quantization.QuantType.QInt8,
        )
        quantized = _finish(path, made)
        shutil.copyfile(made, temporary)
    before, after = path.stat().st_size, out.stat().st_size
    return (
        f'{out}: {after / 1e6:.1f} MB for {before / 1e6:.1f}, {quantized} matrix '
        'products in 8 bits'
    )


def _prepare(path: Path, out: Path) -> None:
    """Compute what is constant, and put the factors of products into their weights.

    ONNX Runtime takes ``alpha a b + beta c`` for a product of weights only if both
    factors are 1; those of QuickGELU's layers aren't.
    """
    onnx = import_extra('onnx')
    steps = import_extra('onnxruntime.quantization.shape_inference')
    steps.quant_pre_process(path, out, skip_symbolic_shape=True)
    model = onnx.load(out)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != 'Gemm' or not weights.keys() >= {*node.input[1:]}:
            continue
        kept = []
        for attribute in node.attribute:
            place = ('alpha', 'beta').index(attribute.name) if attribute.f else None
            if place is None or attribute.f == 1:
                kept.append(attribute)
                continue
            scaled = onnx.numpy_helper.to_array(weights[node.input[1 + place]])
            name = f'{node.name}.{attribute.name}'
            scaled = onnx.numpy_helper.from_array(
                scaled * np.float32(attribute.f), name
            )
            model.graph.initializer.append(scaled)
            node.input[1 + place] = name
        del node.attribute[:]
        node.attribute.extend(kept)
    onnx.save(model, out)


def _finish(path: Path, made: Path) -> int:
    """Keep the metadata, and note there that weights are rounded; count products."""
    onnx = import_extra('onnx')
    source, target = onnx.load(path, load_external_data=False), onnx.load(made)
    del target.metadata_props[:]
    for entry in source.metadata_props:
        record = json.loads(entry.value)
        record['quantized'] = 'int8, dynamic'
        copied = target.metadata_props.add()
        copied.key, copied.value = entry.key, json.dumps(record)
    onnx.save(target, made)
    return sum(node.op_type == 'MatMulInteger' for node in target.graph.node)
