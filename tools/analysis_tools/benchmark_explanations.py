r"""Time maps of relevance: images per second, and the memory that they take.

    python tools/analysis_tools/benchmark_explanations.py \
        configs/hpl/hpl_tiny_synthpeds.py configs/hpl/hpl_vitb16_joint.py

Beside features as a test computes them: rollout, which needs attention alone, and
gradient, which needs a backward pass too (Grad-CAM, for a ResNet). Weights and images
are random, which doesn't change the time; each config is measured in a process of its
own, least memory first, for a process tells only the most that it ever held.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--batch', type=int, default=32, metavar='N')
    parser.add_argument('--rounds', type=int, default=5, metavar='N')
    parser.add_argument('--alone', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if min(args.batch, args.rounds) < 1:
        parser.error('--batch and --rounds: expected 1 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable

from hplreid.engine.config import inference_config, read_config
from hplreid.registry import MODELS
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError
from hplreid.visualization.explain import choose_features, explain_feature
from hplreid.visualization.explain.routes import map_layer


def measure(path: str, batch: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return seconds a batch, and MiB that the process held at most, of each task."""
    init_default_scope('hplreid')
    torch.manual_seed(0)
    config = inference_config(read_config(path))
    model = MODELS.build(config.model.to_dict()).eval()
    pipelines = [loader.dataset.pipeline for loader in config.test_dataloader.values()]
    size = next(step['size'] for step in pipelines[0] if 'size' in step)
    inputs = {
        'images': torch.randn(batch, 3, *size),
        'camids': torch.zeros(batch, dtype=torch.int64),
    }
    features = choose_features(model)

    def encode() -> None:
        with torch.no_grad():
            model.image_features(inputs, features)

    tasks: dict[str, Callable[[], object]] = {'features': encode}
    if map_layer(model) is None:
        tasks['rollout'] = lambda: explain_feature(model, inputs, features, 'rollout')
    tasks['gradient'] = lambda: explain_feature(model, inputs, features)
    found = {}
    for name, task in tasks.items():
        task()  # to warm up
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            task()
            times.append(time.perf_counter() - began)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        mebibyte = 2**20 if sys.platform == 'darwin' else 2**10
        found[name] = statistics.median(times), peak / mebibyte
    return found


def measure_alone(path: str, args: argparse.Namespace) -> dict[str, list[float]]:
    """Measure a config in a process of its own.

    Raises:
        UserError: It failed; what it said is in the message.
    """
    command = [sys.executable, __file__, path, '--alone']
    command += ['--batch', str(args.batch), '--rounds', str(args.rounds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f'{path}: {done.stderr.strip()[-2000:]}')
    return json.loads(done.stdout.splitlines()[-1])


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    if args.alone:
        print(json.dumps(measure(args.configs[0], args.batch, args.rounds)))
        return
    table = PrettyTable(['config', 'task', 'images/s', 'relative time', 'MiB'])
    table.align['config'] = table.align['task'] = 'l'
    for path in args.configs:
        found = measure_alone(path, args)
        least, _ = found['features']
        for task, (seconds, peak) in found.items():
            speed = f'{args.batch / seconds:.1f}'
            cells = [Path(path).stem, task, speed, f'{seconds / least:.2f}']
            table.add_row([*cells, f'{peak:.0f}'])
    print(
        f'batch {args.batch}, {torch.get_num_threads()} thread(s), median of '
        f'{args.rounds} rounds'
    )
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
