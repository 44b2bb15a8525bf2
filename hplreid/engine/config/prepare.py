"""Make the datasets and image caches that a config lists, before it is built."""

from collections.abc import Callable

from mmengine.config import Config
from mmengine.dist import barrier

from ..data_parallel import is_local_main_process
from .image_cache import build_caches, collect_images, use_image_cache


def _make_synthpeds(
    config: Config,
    out: str,
    size: str = 'default',
    seed: int = 0,
    difficulty: str = 'default',
) -> None:
    # Imported here: a command that makes no dataset must not load the renderer
    from hplreid.synthpeds import make_synthpeds

    make_synthpeds(out, size=size, seed=seed, difficulty=difficulty)


def _make_image_cache(config: Config) -> None:
    build_caches(config.image_cache, collect_images(config))


PREPARERS: dict[str, Callable[..., None]] = {
    'SynthPeds': _make_synthpeds,
    'ImageCache': _make_image_cache,
}
"""The functions that ``type`` in a config's ``data_preparers`` may name."""


def prepare_data(config: Config) -> None:
    """Make the datasets that a config lists in ``data_preparers``, if they are missing.

    For instance ``data_preparers = [dict(type='SynthPeds', out='data/synthpeds')]``;
    further keys are ``size``, ``seed`` and ``difficulty``. With several processes the
    first one of each machine makes the data, and the others wait for it.

    With ``image_cache = 'data/cache'`` in the config all pipelines read their images
    from that cache; see :func:`use_image_cache`. ``dict(type='ImageCache')`` among the
    preparers, after those that make the images, adds what the cache lacks.

    Raises:
        KeyError: A preparer is unknown.
        ValueError: A pipeline can't use the cache, or there is no cache to build.

    Example:
        >>> prepare_data(Config(dict(data_preparers=[dict(type='Download')])))
        Traceback (most recent call last):
        ...
        KeyError: "data_preparers: no 'Download': expected one of ['ImageCache', ...
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
