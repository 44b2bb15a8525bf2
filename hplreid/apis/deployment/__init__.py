"""Models in ONNX: exported, compared, in 8 bits, and run by ONNX Runtime."""

from .errors import ExportError
from .export import export_onnx
from .graphs import ImageGraph, TextGraph
from .onnx_model import OnnxModel, is_exported, load_exported
from .quantization import quantize_onnx

__all__ = [
    'ExportError',
    'ImageGraph',
    'OnnxModel',
    'TextGraph',
    'export_onnx',
    'is_exported',
    'load_exported',
    'quantize_onnx',
]
