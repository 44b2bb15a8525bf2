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


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='fp32'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import nn

from hplreid.engine.config import inference_config, read_config
from hplreid.engine.measurement.extraction import (
    Inputs,
    make_test_inputs,
    time_extraction,
)
from hplreid.engine.precision import choose_precision
from hplreid.registry import MODELS
from hplreid.utils.run_tool import run_tool


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
        for kind, inputs in make_test_inputs(model, size, args.batch, device).items():
            tasks[path, kind] = model, inputs
    precision = choose_precision(args.precision, device)
    with torch.inference_mode(), precision.autocast():
        rounds = [
            {key: time_extraction(*task, args.batch) for key, task in tasks.items()}
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
    run_tool(main, ARGS)
