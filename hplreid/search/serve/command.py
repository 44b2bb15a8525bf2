"""The command that starts the page: its arguments, and what it does with them."""

import argparse
from contextlib import closing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, but for the gallery."""
    parser.add_argument('--host', default='127.0.0.1', help='default: %(default)s')
    parser.add_argument(
        '--port', type=int, default=8080, help='0 for a free one (default: %(default)s)'
    )


def run_command(args: argparse.Namespace) -> None:
    """Serve a gallery, or the one of SynthPeds.

    Args:
        args: ``gallery``, ``model``, ``weights``, ``device``, ``precision``, ``host``
            and ``port``.

    Raises:
        QueryError: A gallery was given without its model.
        ServeError: See :func:`.serve`.
    """
    from hplreid.apis import ReIDInferencer  # noqa: PLC0415, after the arguments

    from ..errors import QueryError  # noqa: PLC0415
    from ..gallery import Gallery  # noqa: PLC0415
    from .desk import SearchDesk  # noqa: PLC0415
    from .first_start import make_synthpeds_gallery  # noqa: PLC0415
    from .server import serve  # noqa: PLC0415

    if args.gallery is None:
        gallery, title, model = make_synthpeds_gallery()
    elif args.model is None:
        raise QueryError(
            'Images and words are encoded by a model: give --model, the one that the '
            'gallery was indexed with.'
        )
    else:
        inferencer = ReIDInferencer(
            args.model, args.weights, args.device, args.precision, progress=False
        )
        gallery = Gallery.open(args.gallery, inferencer)
        title, model = f'Gallery {gallery.url}', str(args.model)
    with closing(gallery):
        serve(SearchDesk(gallery, title, model), args.host, args.port)
