"""Trained models put to use: loaded, published, asked for features, and searched with.

What stands here is the public face of the package; ``hplreid`` exports it, too. Nothing
here trains or scores: that is in ``engine``.
"""

from .inferencer import ImageBatch, ReIDInferencer
from .inputs import InputError, list_images
from .model_names import ModelNameError, list_models
from .preprocessing import PreprocessingError
from .publishing import publish_model
from .search_result import SearchResult
from .trained_model import ModelError, get_model

__all__ = [
    'ImageBatch',
    'InputError',
    'ModelError',
    'ModelNameError',
    'PreprocessingError',
    'ReIDInferencer',
    'SearchResult',
    'get_model',
    'list_images',
    'list_models',
    'publish_model',
]
