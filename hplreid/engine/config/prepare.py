"""What a config needs before it is built: made data, filled caches."""

from collections.abc import Callable

from mmengine.config import Config
from mmengine.dist import barrier

from ..data_parallel import is_local_main_process
from .image_cache import build_caches, collect_images, use_image_cache


def _make_synthpeds(
    out: str, size: str = 'default', seed: int = 0, difficulty: str = 'default'
) -> None:
    # A command that makes no data must not load the renderer
    from hplreid.synthpeds import make_synthpeds

    make_synthpeds(out, size=size, seed=seed, difficulty=difficulty)


def _make_image_cache(config: Config) -> None:
    build_caches(config.image_cache, collect_images(config))


PREPARERS: dict[str, Callable[..., None]] = {
    'SynthPeds': lambda config, **arguments: _make_synthpeds(**arguments),
    'ImageCache': _make_image_cache,
}
"""What may stand as ``type`` in a config's ``data_preparers``."""


def prepare_data(config: Config) -> None:
    """Make the data that a config lists in ``data_preparers``, if not made already.

    ``data_preparers = [dict(type='SynthPeds', out='data/synthpeds')]``; the other keys
    are ``size``, ``seed`` and ``difficulty``. With several processes the first of each
    machine makes the data and the others wait for it.

    With ``image_cache = 'data/cache'`` in the config all pipelines take their images
    from there; see :func:`use_image_cache`. ``dict(type='ImageCache')`` among the
    preparers, after those that make the images, builds what that cache lacks.

    Raises:
        KeyError: There is no such preparer.
        ValueError: A pipeline can't use the cache, or there is none to build.
    """
    if config.get('image_cache'):
        for part in list(config.values()):
            use_image_cache(part, config.image_cache)
    for preparer in config.get('data_preparers') or []:
        arguments = dict(preparer)
        kind = arguments.pop('type')
        if kind == 'ImageCache' and not config.get('image_cache'):
            continue  # images are read from their files
        if kind not in PREPARERS:
            raise KeyError(
                f"data_preparers: no '{kind}': expected one of {sorted(PREPARERS)}."
            )
        if is_local_main_process():
            PREPARERS[kind](config, **arguments)
    barrier()
