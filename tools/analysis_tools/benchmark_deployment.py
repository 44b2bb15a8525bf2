r"""Time the extraction of features: PyTorch's plain loop, ours, ONNX, and 8 bits.

    python tools/analysis_tools/benchmark_deployment.py MODEL IMAGES [--num 512]

MODEL is a checkpoint or published file (or a config or name with --weights), IMAGES a
folder. The plain loop decodes one image after the other with PIL, resizes it, and
encodes batches in fp32; the others are ``hplreid.ReIDInferencer`` with the model, with
its ONNX export, and with that in 8 bits, all in fp32 otherwise and on the CPU. Rounds
alternate, so that a slow moment of the machine affects all; the last two columns are
the median over rounds of the plain loop's time divided by theirs, from files to
features, and for the encoding of decoded images alone.
"""

import argparse
import statistics
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', help='checkpoint, published file, config or name')
    parser.add_argument('images', type=Path, help='folder of images')
    parser.add_argument('--weights', help='file of the weights of a config or name')
    parser.add_argument('--num', type=int, default=512, metavar='N', help='images')
    parser.add_argument('--batch', type=int, default=64, metavar='N')
    parser.add_argument('--rounds', type=int, default=5, metavar='N')
    parser.add_argument('--threads', type=int, metavar='N', help='of the computing')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if min(args.num, args.batch, args.rounds) < 1:
        parser.error('--num, --batch, --rounds: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from prettytable import PrettyTable

from hplreid.apis.deployment import ImageGraph, OnnxModel, export_onnx, quantize_onnx
from hplreid.apis.inferencer import ReIDInferencer
from hplreid.apis.inputs import list_images
from hplreid.apis.preprocessing import find_pipeline
from hplreid.apis.trained_model import load_trained_model
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError, as_user_errors


class PlainLoop:
    """What one writes without a library: PIL, then the model, in fp32."""

    def __init__(self, graph: ImageGraph, size: tuple[int, int], batch: int) -> None:
        self.graph, self.size, self.batch = graph, size, batch

    @torch.inference_mode()
    def __call__(self, paths: Sequence[str]) -> None:
        """Encode image files."""
        height, width = self.size
        rest = iter(paths)
        while some := list(islice(rest, self.batch)):
            pixels = []
            for path in some:
                with Image.open(path) as image:
                    resized = image.convert('RGB').resize((width, height))
                pixels.append(np.asarray(resized))
            self.graph(torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2))


def time_rounds(
    tasks: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each task in each round; one more to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - began)
    return {name: values[1:] for name, values in seconds.items()}


def trained_size(config: Config) -> tuple[int, int]:
    """Return height and width of a model's images."""
    steps = find_pipeline(config, 'i2i')
    height, width = next(step['size'] for step in steps if 'size' in step)
    return height, width


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    if args.threads:
        torch.set_num_threads(args.threads)
    with as_user_errors(FileNotFoundError):
        trained = load_trained_model(args.model, args.weights)
        paths = list_images(str(args.images))[: args.num]
    graph = ImageGraph(trained.model).eval()
    if graph.embeds_cameras:
        raise UserError('Models that embed cameras are not timed: they need camids.')
    with tempfile.TemporaryDirectory() as folder:
        exported, small = Path(folder) / 'onnx', Path(folder) / 'int8'
        export_onnx(trained, exported)
        given = {'ours, PyTorch': (args.model, args.weights), 'ours, ONNX': (exported,)}
        try:
            quantize_onnx(exported, small)
            given['ours, ONNX int8'] = (small,)
        except UserError as error:
            print(error)
        options = dict(device='cpu', precision='fp32', batch_size=args.batch)
        models = {
            name: ReIDInferencer(*model, **options, progress=False)
            for name, model in given.items()
        }
    size = trained_size(models['ours, ONNX'].config)
    plain = PlainLoop(graph, size, args.batch)
    images = torch.randint(256, (args.batch, 3, *size), dtype=torch.uint8)

    @torch.inference_mode()
    def encode() -> object:
        return graph(images)

    whole: dict[str, Callable[[], object]] = {'plain loop': partial(plain, paths)}
    alone: dict[str, Callable[[], object]] = {'plain loop': encode}
    for name, model in models.items():
        whole[name] = partial(model.embed_images, paths)
        exports = isinstance(model.model, OnnxModel)
        alone[name] = partial(model.model.encode, images) if exports else encode
    table = PrettyTable(['extraction', 'images/s', 'ratio', 'encoding alone', 'ratio '])
    table.align['extraction'] = 'l'
    timed = [
        (time_rounds(whole, args.rounds), len(paths)),
        (time_rounds(alone, args.rounds), args.batch),
    ]
    for name in whole:
        row = [name]
        for seconds, count in timed:
            rounds = zip(seconds['plain loop'], seconds[name], strict=True)
            ratio = statistics.median(a / b for a, b in rounds)
            speed = count / statistics.median(seconds[name])
            row += [f'{speed:.0f}', f'{ratio:.2f}']
        table.add_row(row)
    print(
        f'{len(paths)} images, batch {args.batch}, {torch.get_num_threads()} thread(s) '
        f'in PyTorch, median of {args.rounds} rounds'
    )
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
