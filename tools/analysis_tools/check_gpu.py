r"""Check a GPU in six minutes: equal to the CPU, resumed exactly, fast, small enough.

    python tools/analysis_tools/check_gpu.py --out gpu_check
    python tools/analysis_tools/check_gpu.py --device cpu --small

Data and weights are made up, so that neither datasets nor a network are needed:

* training: each method's ViT-B/16 or ResNet-50 takes 20 steps in bf16; the losses of
  the first two are compared with those of the CPU in fp32, on a batch of twelve;
* ranking: scores of ranking and re-ranking are compared with the CPU's;
* resume: a run that is resumed in the middle ends with the weights of one that isn't;
* throughput: training steps at the papers' batches, and the share of the device's
  bound;
* extraction: images a second at test;
* memory: of training steps at the papers' batches, which ran on cards of 24 GB.

Each check is a process of its own, with a limit of time. The others are run even if one
fails; then the program ends with 1. It writes ``check_gpu.json`` and, for
``docs/performance.md``, ``check_gpu.md``. ``--small`` has tiny models, to try the
program itself.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

# Without it, products on a GPU aren't reproducible; read when CUDA starts
DETERMINISTIC = {'CUBLAS_WORKSPACE_CONFIG': ':4096:8'}
# The seconds that each check may take, 360 in all
SECONDS = dict(
    training=130, ranking=30, resume=40, throughput=80, extraction=30, memory=50
)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, default=Path('gpu_check'), help='folder')
    parser.add_argument('--device', choices=['cuda', 'cpu'], default='cuda')
    parser.add_argument('--small', action='store_true')
    parser.add_argument('--checks', nargs='+', choices=SECONDS, default=list(SECONDS))
    parser.add_argument('--methods', nargs='+', help='names; all by default')
    parser.add_argument('--steps', type=int, default=20, help='of each method')
    parser.add_argument(
        '--seconds', type=float, help='limit of each check; their own by default'
    )
    parser.add_argument('--run', choices=SECONDS, help=argparse.SUPPRESS)
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch

from hplreid.utils.atomic_files import write_json
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError


def run_check(args: argparse.Namespace) -> None:
    """Run one check in this process; write its rows to a file as they come."""
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    from hplreid.engine.measurement.gpu_checks import CHECKS, CheckOptions
    from hplreid.engine.tf32 import set_tf32

    init_default_scope('hplreid')
    MMLogger.get_current_instance().setLevel('WARNING')
    set_tf32(False)
    chosen = dict(methods=tuple(args.methods)) if args.methods else {}
    options = CheckOptions(args.device, args.small, steps=args.steps, **chosen)
    rows = []
    try:
        for row in CHECKS[args.run](options):
            rows.append(row.to_dict())
            print(format_row(rows[-1]), flush=True)
            write_json(result_path(args, args.run), dict(rows=rows))
    except Exception as error:
        traceback.print_exc()
        rows.append(failure(f'{args.run}: {type(error).__name__}: {error}'))
        write_json(result_path(args, args.run), dict(rows=rows))


def failure(message: str) -> dict:
    """Return the row of a check that came to no end."""
    return dict(what=message.splitlines()[0][:200], value='', bound='', passed=False)


def result_path(args: argparse.Namespace, name: str) -> Path:
    """Return the file of a check's rows."""
    return args.out / f'{name}.json'


def format_row(row: dict) -> str:
    """Return a row as a line."""
    bound = f' [{row["bound"]}]' if row['bound'] else ''
    value = f': {row["value"]}' if row['value'] else ''
    return f'{"ok  " if row["passed"] else "FAIL"} {row["what"]}{value}{bound}'


def start_check(name: str, args: argparse.Namespace) -> list[dict]:
    """Run a check in a process of its own; return its rows."""
    limit = args.seconds or SECONDS[name]
    path = result_path(args, name)
    path.unlink(missing_ok=True)
    command = [sys.executable, __file__, '--run', name, '--out', str(args.out)]
    command += ['--device', args.device, '--steps', str(args.steps)]
    command += ['--small'] if args.small else []
    command += ['--methods', *args.methods] if args.methods else []
    message = ''
    try:
        done = subprocess.run(
            command, env={**os.environ, **DETERMINISTIC}, timeout=limit, check=False
        )
        if done.returncode:
            message = f'{name}: ended with {done.returncode}'
    except subprocess.TimeoutExpired:
        message = f'{name}: took more than {limit:g} s'
    rows = json.loads(path.read_text())['rows'] if path.is_file() else []
    if not rows and not message:
        message = f'{name}: found nothing'
    if message:
        rows.append(failure(message))
        print(format_row(rows[-1]), flush=True)
    return rows


def describe_device(device: str) -> str:
    """Return the name of the device and the versions it is used with."""
    name = 'CPU'
    if device == 'cuda':
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        name = f'{torch.cuda.get_device_name()} ({memory:.0f} GiB)'
    return f'{name}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}'


def format_markdown(device: str, rows: list[dict]) -> str:
    """Return the table for the documentation."""
    lines = [f'{device}:', '', '| what | found | asked for | |', '| --- ' * 4 + '|']
    lines += [
        f'| {row["what"]} | {row["value"]} | {row["bound"]} | '
        f'{"" if row["passed"] else "**failed**"} |'
        for row in rows
    ]
    return '\n'.join(lines) + '\n'


def main(args: argparse.Namespace) -> int:
    """Run the tool."""
    if args.run:
        run_check(args)
        return 0
    if args.device == 'cuda' and not torch.cuda.is_available():
        raise UserError(
            'PyTorch sees no GPU. To try the program itself: --device cpu --small'
        )
    args.out.mkdir(parents=True, exist_ok=True)
    device = describe_device(args.device)
    print(device, flush=True)
    results, start = {}, time.perf_counter()
    for name in args.checks:
        began = time.perf_counter()
        rows = start_check(name, args)
        results[name] = dict(seconds=time.perf_counter() - began, rows=rows)
    rows = [row for result in results.values() for row in result['rows']]
    failed = sum(not row['passed'] for row in rows)
    write_json(args.out / 'check_gpu.json', dict(device=device, checks=results))
    (args.out / 'check_gpu.md').write_text(format_markdown(device, rows), 'utf-8')
    print(
        f'{len(rows)} results, {failed} failed, {time.perf_counter() - start:.0f} s: '
        f'{args.out / "check_gpu.json"} and check_gpu.md'
    )
    return 1 if failed else 0


if __name__ == '__main__':
    run_tool(main, ARGS)
