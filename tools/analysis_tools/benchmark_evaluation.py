"""Time and memory of ranking: a bare matrix product and a plain sort against ours.

    python tools/analysis_tools/benchmark_evaluation.py
    python tools/analysis_tools/benchmark_evaluation.py --sizes msmt17 million

"product" is the bare product of all queries and the gallery in blocks, nothing kept, by
NumPy or torch and in the size of blocks that is fastest here. "sort" ranks the plain
way: a block of distances, every row sorted, one query after the other; where there are
more than ``--sorted-queries``, it ranks that many, and its time is scaled up. "ours" is
``evaluate_ranking``, from features to numbers. Rounds alternate, so that a slow moment
of the machine hits all, and each begins after a short rest; medians are shown, of the
seconds and of their ratio to the product's in the same round. What "sort" and ours say
of a query is compared.

Features are 512 numbers about the center of a person, with the numbers of queries,
gallery items, people, cameras and distractors of the datasets; ``--noise`` makes them
hard. ``million`` is 1,000 queries and 1,000,000 gallery items in a memory-mapped file
of float16; its product reads the same file. ``tiny`` and ``tiny-file`` show whether the
program runs. Memory is the greatest growth of the process while a function runs, pages
of files excluded (Linux); of several sizes, the later ones use what earlier ones left.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Size:
    """How many of what a dataset has; distractors are nobody's match."""

    queries: int
    gallery: int
    people: int
    cameras: int
    distractors: int = 0
    in_file: bool = False


SIZES = {
    'tiny': Size(60, 400, 10, 3, distractors=50),
    'tiny-file': Size(60, 400, 10, 3, distractors=50, in_file=True),
    'market1501': Size(3368, 15913, 750, 6, distractors=2798),
    'msmt17-half': Size(5830, 41080, 1530, 15),
    'msmt17': Size(11659, 82161, 3060, 15),
    'million': Size(1000, 1_000_000, 250, 15, distractors=990_000, in_file=True),
}


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--sizes', nargs='+', choices=SIZES, default=['market1501', 'msmt17-half']
    )
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument(
        '--noise', type=float, default=2.0, help='of a feature, its center being 1'
    )
    parser.add_argument('--sorted-queries', type=int, default=500)
    parser.add_argument('--block-size', type=int, default=2048, help='of ours')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
import torch
from prettytable import PrettyTable

from hplreid.evaluation import evaluate_ranking
from hplreid.utils.measuring import PAUSE, MemoryWatch, time_call
from hplreid.utils.run_tool import run_tool

LENGTH = 512
CHUNK = 16128  # gallery items of a file to read at a time


@dataclass(frozen=True)
class Data:
    """The arguments of ``evaluate_ranking``."""

    query: np.ndarray
    gallery: np.ndarray
    query_pids: np.ndarray
    gallery_pids: np.ndarray
    query_camids: np.ndarray
    gallery_camids: np.ndarray

    @classmethod
    def make(cls, size: Size, noise: float, folder: Path) -> 'Data':
        """Make up features, those of a gallery in a file block by block."""
        rng = np.random.default_rng(0)
        centers = rng.standard_normal((size.people, LENGTH), dtype=np.float32)
        query_pids = rng.integers(0, size.people, size.queries)
        gallery_pids = rng.integers(0, size.people, size.gallery)
        distractors = rng.permutation(size.gallery)[: size.distractors]
        gallery_pids[distractors] = size.people + np.arange(size.distractors)

        def features(pids: np.ndarray) -> np.ndarray:
            feats = noise * rng.standard_normal((len(pids), LENGTH), dtype=np.float32)
            known = pids < size.people
            feats[known] += centers[pids[known]]
            return feats

        query = features(query_pids)
        shape = size.gallery, LENGTH
        if size.in_file:
            path = folder / 'gallery.npy'
            gallery = np.lib.format.open_memmap(path, 'w+', np.float16, shape)
        else:
            gallery = np.empty(shape, np.float32)
        for start in range(0, size.gallery, 10_000):
            some = slice(start, start + 10_000)
            gallery[some] = features(gallery_pids[some])
        if size.in_file:
            gallery.flush()
            gallery = np.load(path, mmap_mode='r')
        return cls(
            query=query,
            gallery=gallery,
            query_pids=query_pids,
            gallery_pids=gallery_pids,
            query_camids=rng.integers(0, size.cameras, size.queries),
            gallery_camids=rng.integers(0, size.cameras, size.gallery),
        )


def product(data: Data, library: str, height: int, width: int) -> None:
    """Multiply, and keep nothing."""
    out = np.empty((height, min(width, len(data.gallery))), np.float32)
    for left in range(0, len(data.gallery), width):
        gallery = data.gallery[left : left + width]
        if gallery.dtype != np.float32:
            gallery = gallery.astype(np.float32)
        for top in range(0, len(data.query), height):
            query = data.query[top : top + height]
            block = out[: len(query), : len(gallery)]
            if library == 'numpy':
                np.matmul(query, gallery.T, out=block)
            else:
                torch.mm(
                    torch.from_numpy(query),
                    torch.from_numpy(gallery).T,
                    out=torch.from_numpy(block),
                )


def fastest_product(data: Data, rounds: int) -> tuple[str, Callable[[], None]]:
    """Choose library and blocks on a sample: the best median of ``rounds``."""
    whole = CHUNK if isinstance(data.gallery, np.memmap) else len(data.gallery)
    sample = Data(data.query[:4096], data.gallery[:CHUNK], *[np.empty(0)] * 4)
    choices = {
        (library, height, width)
        for library in ('numpy', 'torch')
        for height in (1024, 4096)
        for width in (CHUNK // 2, whole)
    }
    times = [
        {
            choice: time_call(lambda c=choice: product(sample, *c), PAUSE)[0]
            for choice in choices
        }
        for _ in range(rounds)
    ]
    best = min(choices, key=lambda choice: statistics.median(t[choice] for t in times))
    name = 'product ({}, blocks of {} x {:,})'.format(*best)
    return name, lambda: product(data, *best)


def sort(data: Data, number: int, height: int = 256) -> np.ndarray:
    """Return the average precision of the first queries in percent, the plain way."""
    query = data.query / np.linalg.norm(data.query, axis=1, keepdims=True)
    gallery = data.gallery / np.linalg.norm(data.gallery, axis=1, keepdims=True)
    found = []
    for start in range(0, number, height):
        distances = 1 - query[start : min(start + height, number)] @ gallery.T
        for row, order in enumerate(np.argsort(distances, axis=1, kind='stable')):
            right = data.gallery_pids[order] == data.query_pids[start + row]
            camera = data.gallery_camids[order] == data.query_camids[start + row]
            hits = right[~(right & camera)]
            precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
            found.append(100 * precision[hits].mean() if hits.any() else np.nan)
    return np.array(found)


def memory(function: Callable[[], object]) -> float:
    """Return the greatest growth of the process during a call in MiB."""
    with MemoryWatch() as watch:
        function()
    return watch.growth / 2**20


def benchmark(name: str, args: argparse.Namespace, folder: Path) -> None:
    """Print the table of one size."""
    size = SIZES[name]
    data = Data.make(size, args.noise, folder)
    number = 0 if size.in_file else min(args.sorted_queries, size.queries)

    def ours() -> object:
        return evaluate_ranking(*vars(data).values(), block_size=args.block_size)

    # At once: what an earlier call has left to the process would hide a part
    peaks = {'ours': memory(ours)}
    product_name, multiply = fastest_product(data, args.rounds)
    contestants = {product_name: multiply, 'ours': ours}
    if number:
        contestants['sort'] = lambda: sort(data, number)
    others = {who: call for who, call in contestants.items() if who != 'ours'}
    peaks |= {who: memory(call) for who, call in others.items()}
    times: dict[str, list[float]] = {who: [] for who in contestants}
    results: dict[str, object] = {}
    for _ in range(args.rounds):
        for who, function in contestants.items():
            spent, results[who] = time_call(function, PAUSE)
            scale = size.queries / number if who == 'sort' else 1
            times[who].append(scale * spent)

    table = PrettyTable(['', 'seconds', 'times the product', 'extra memory, MiB'])
    for who, spent in times.items():
        ratios = [a / b for a, b in zip(spent, times[product_name], strict=True)]
        table.add_row(
            [
                who,
                f'{statistics.median(spent):.3f}',
                f'{statistics.median(ratios):.2f}',
                f'{peaks[who]:.0f}',
            ]
        )
    result = results['ours']
    print(
        f'{name}: {size.queries:,} x {size.gallery:,} x {LENGTH}, '
        f'{torch.get_num_threads()} threads, noise {args.noise:g}, median of '
        f'{args.rounds} rounds | mAP {result.mean_ap:.2f} R1 {result.r1:.2f} mINP '
        f'{result.mean_inp:.2f}'
    )
    print(table)
    if number:
        differ = np.nanmax(np.abs(results['sort'] - result.ap[:number]))
        print(f'AP of {number} queries differs by {differ:.1e} at most, in percent')


def main(args: argparse.Namespace) -> None:
    """Print a table for each size."""
    for name in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            benchmark(name, args, Path(folder))


if __name__ == '__main__':
    run_tool(main, ARGS)
