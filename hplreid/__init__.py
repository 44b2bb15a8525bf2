"""Language-guided person re-identification: search by image and by text.

The version and a check of the environment; and, loaded when they are first named, the
public face of ``hplreid.apis`` and the functions of ``hplreid.evaluation``, so that
importing this package takes no time.
"""

from importlib import import_module
from typing import Any

from .utils.environment import check_environment
from .version import __version__

check_environment()

_HOMES = {
    'apis': (
        'ReIDInferencer',
        'SearchResult',
        'get_model',
        'list_images',
        'list_models',
        'publish_model',
    ),
    'evaluation': (
        'augment_gallery',
        'average_query_expansion',
        'bootstrap_mean',
        'compare_means',
        'evaluate_distances',
        'evaluate_ranking',
        'evaluate_reranking',
        'evaluate_sharded',
        'k_reciprocal_rerank',
        'open_set_report',
        'rank_gallery',
        'verification_report',
    ),
}
_HOME = {name: room for room, names in _HOMES.items() for name in names}

__all__ = ['__version__', *_HOME]  # noqa: PLE0604


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a name of the public face when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f'{__name__}.{_HOME[name]}'), name)
    globals()[name] = value  # the next time it's here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
