"""Models in ONNX: exported, compared, in 8 bits, and run by ONNX Runtime.

``graphs.py`` has what is traced, ``export.py`` writes it once its features are those of
PyTorch, ``onnx_model.py`` answers like a trained model. How images and captions are
prepared isn't decided here: the graphs carry it.
"""

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
