r"""Time the inference of configs: images and captions per second.

    python tools/analysis_tools/benchmark_inference.py \
        configs/clip/clip_vitb16_cuhk-pedes_sdm-id.py \
        configs/irra/irra_vitb16_cuhk-pedes.py \
        configs/propot/propot_vitb16_cuhk-pedes.py
    python tools/analysis_tools/benchmark_inference.py \
        configs/promptsg/promptsg_vitb16_market1501_no-mim.py \
        configs/promptsg/promptsg_vitb16_market1501_constant.py \
        configs/promptsg/promptsg_vitb16_market1501.py

Each model is built as by ``tools/test.py``, but with random weights, and encodes random
images and captions of full length, which doesn't change the time. Rounds alternate, so
that a slow moment of the machine affects all. The last column is the speed relative to
the first config: the median over rounds of its time divided by theirs.
"""

import argparse
import statistics
from typing import Any


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='auto'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import nn

from hplreid.engine.config import inference_config, read_config
from hplreid.engine.precision import choose_precision
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.measuring import time_call

Inputs = dict[str, torch.Tensor]


def make_inputs(
    model: nn.Module, size: tuple[int, int], batch: int, device: str
) -> dict[str, Inputs]:
    """Return a batch of images and, where the model has a text tower, of captions."""
    rows = torch.arange(batch, device=device)
    empty = dict(
        images=torch.empty(0, 3, *size, device=device),
        image_rows=rows[:0],
        camids=rows[:0],
        captions=torch.empty(0, 0, dtype=torch.int64, device=device),
        caption_rows=rows[:0],
    )
    images = torch.randn(batch, 3, *size, device=device)
    image_inputs = dict(empty, images=images, image_rows=rows, camids=rows % 2)
    if not hasattr(model, 'text_encoder'):
        return {'images': image_inputs}
    length = int(model.text_encoder.context_length)
    captions = torch.randint(1, 400, (batch, length), device=device)
    return {
        'images': image_inputs,
        'captions': dict(empty, captions=captions, caption_rows=rows),
    }


def time_batch(model: nn.Module, inputs: Inputs, batch: int) -> float:
    """Return the seconds of a batch."""
    samples: list[Any] = [ReIDDataSample() for _ in range(batch)]
    return time_call(lambda: model(inputs, samples, mode='predict'))[0]


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    init_default_scope('hplreid')
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    tasks: dict[tuple[str, str], tuple[nn.Module, Inputs]] = {}
    sizes = {}
    for path in args.configs:
        config = inference_config(read_config(path))
        model = MODELS.build(config.model.to_dict()).to(device).eval()
        size = tuple(config.model.image_encoder.img_size)
        sizes[path] = sum(p.numel() for p in model.parameters())
        for kind, inputs in make_inputs(model, size, args.batch, device).items():
            tasks[path, kind] = model, inputs
    precision = choose_precision(args.precision, device)
    with torch.inference_mode(), precision.autocast():
        rounds = [
            {key: time_batch(*task, args.batch) for key, task in tasks.items()}
            for _ in range(args.rounds + 2)
        ][2:]  # two to warm up

    table = PrettyTable(
        ['config', 'parameters', 'input', 's/batch', 'items/s', 'relative speed']
    )
    table.align['config'] = 'l'
    for path, kind in tasks:
        median = statistics.median(r[path, kind] for r in rounds)
        row = [f'{median:.4f}', f'{args.batch / median:.1f}', '-']
        reference = args.configs[0], kind
        if reference in tasks:
            ratio = statistics.median(r[reference] / r[path, kind] for r in rounds)
            row[-1] = f'{ratio:.3f}'
        table.add_row([path, f'{sizes[path]:,}', kind, *row])
    print(
        f'batch {args.batch}, {precision}, '
        f'{torch.get_num_threads()} thread(s), median of {args.rounds} rounds'
    )
    print(table)


if __name__ == '__main__':
    main(ARGS)
