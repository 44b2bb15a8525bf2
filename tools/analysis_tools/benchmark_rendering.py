"""Images of SynthPeds a second, on one core and on all, and where the time goes.

    python tools/analysis_tools/benchmark_rendering.py

The images are those of the default size, spread over its splits, with captions and
JPEG files in a temporary folder. One process renders them in chunks, as a dataset is
made, and one by one; rounds alternate, so that other programs on the machine hit both
alike, and the figures are medians. Then all cores render twice as many chunks each;
starting the processes is not counted. The shares are those of a profiler, which makes
many short calls look longer than they are. A product of two matrices says how fast the
core is.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import tempfile
import time
from pathlib import Path

DIFFICULTIES = ('default', 'easy', 'hard')
PARTS = {
    '_draft': 'identity, pose, figure, crop',
    'trace_rays': 'sphere tracing',
    '_paint_hits': 'normals, shadows, colors',
    'render_backdrop': 'backdrop',
    'record_image': 'lens, sensor, recorder',
    '_store': 'JPEG, captions, files',
}


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description='Images of SynthPeds a second.')
    parser.add_argument('--chunks', type=int, default=6, help='chunks of 10 images')
    parser.add_argument('--rounds', type=int, default=3, help='rounds to alternate')
    parser.add_argument('--difficulty', default='default', choices=DIFFICULTIES)
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count(), help='default: number of cores'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.chunks < 1 or args.rounds < 1 or args.workers < 1:
        parser.error('--chunks, --rounds and --workers must be at least 1')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from prettytable import PrettyTable

from hplreid.synthpeds import PRESETS, SIZES
from hplreid.synthpeds.writing import plan_shots
from hplreid.synthpeds.writing.render_workers import RenderJob, plan_jobs, render_jobs
from hplreid.synthpeds.writing.unfinished import Unfinished
from hplreid.utils.run_tool import run_tool


def make_jobs(folder: Path, chunks: int, difficulty: str) -> list[RenderJob]:
    """Return chunks of the default size, evenly spread over it."""
    size = SIZES['default']
    shots = plan_shots(size, seed=0)
    work = Unfinished(folder / 'data', folder)
    work.prepare(shots)
    jobs = plan_jobs(shots, work, 0, PRESETS[difficulty], size.shape)
    return [jobs[i * len(jobs) // chunks] for i in range(chunks)]


def one_by_one(jobs: list[RenderJob]) -> list[RenderJob]:
    """Return a job for each image."""
    return [
        RenderJob(job.first, (shot,), job.work, job.seed, job.difficulty, job.shape)
        for job in jobs
        for shot in job.shots
    ]


def seconds(jobs: list[RenderJob]) -> float:
    """Return the CPU time in which this process renders jobs."""
    start = time.process_time()
    for _ in render_jobs(jobs, workers=1):
        pass
    return time.process_time() - start


def rate_of_all(jobs: list[RenderJob], workers: int) -> float:
    """Return images a second of several processes, from their first chunk on."""
    counts, times = [], []
    for count in render_jobs(jobs, workers):
        counts.append(count)
        times.append(time.perf_counter())
    # The first chunk of each process ends when the processes have started.
    begun = min(workers, len(times) - 1) - 1
    return sum(counts[begun + 1 :]) / (times[-1] - times[begun])


def shares(jobs: list[RenderJob]) -> dict[str, float]:
    """Return the share of the time that each part takes, 0-1, under a profiler."""
    profile = cProfile.Profile()
    profile.runcall(seconds, jobs)
    stats = pstats.Stats(profile)
    spent = {key[2]: row[3] for key, row in stats.stats.items()}  # type: ignore[attr-defined]
    total = stats.total_tt  # type: ignore[attr-defined]
    found = {name: spent[part] / total for part, name in PARTS.items()}
    return {**found, 'rest': 1 - sum(found.values())}


def product_rate() -> float:
    """Return the GFLOP/s of a product of two matrices on one core."""
    size, times = 1024, []
    one = torch.ones(size, size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(5):
        start = time.process_time()
        one @ one
        times.append(time.process_time() - start)
    torch.set_num_threads(threads)
    return 2e-9 * size**3 / min(times)


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = make_jobs(Path(folder), args.chunks, args.difficulty)
        count = sum(len(job.shots) for job in jobs)
        cases = {'in chunks of 10': jobs, 'one by one': one_by_one(jobs)}
        seconds(jobs[:1])  # what is loaded on first use
        times: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(args.rounds):
            for name, case in cases.items():
                times[name].append(seconds(case))
        parts = shares(jobs)
        many = make_jobs(Path(folder), 2 * args.chunks * args.workers, args.difficulty)
        together = rate_of_all(many, args.workers)
    table = PrettyTable(['one process', 'images/s', 'ms/image'], align='r')
    for name, values in times.items():
        middle = statistics.median(values) / count
        table.add_row([name, f'{1 / middle:.1f}', f'{1e3 * middle:.1f}'])
    print(f'one core: {product_rate():.0f} GFLOP/s in a 1024^3 fp32 product')
    print(table)
    print(f'processes: {args.workers}, together {together:.1f} images/s')
    table = PrettyTable(['part', 'share'], align='r')
    for name, share in parts.items():
        table.add_row([name, f'{share:.0%}'])
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
