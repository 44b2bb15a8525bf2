"""Time and memory of k-reciprocal re-ranking: the dense algorithm against ours.

    python tools/analysis_tools/benchmark_rerank.py --sizes 4000 8000 --rounds 3
    python tools/analysis_tools/benchmark_rerank.py --sizes 19281 40000 93820

Everything starts from features: normalized, 512-d, clusters of some 25 items with
noise. "product" is the bare blocked product of all N features with each other. Rounds
alternate, so that a slow moment of the machine hits all; medians are shown. Dense and
ours get the same distances, bit for bit, and what they return is compared. From
``--fused-from`` on, re-ranking is fused with ranking and returns scores; below, it
returns all distances. Memory is the greatest growth of the process while a function
runs, without the distances it returns (Linux).
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field


def constants(text: str) -> tuple[int, int]:
    """Read ``k1/k2``."""
    k1, k2 = text.split('/')
    return int(k1), int(k2)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--sizes', type=int, nargs='+', default=[4000, 8000])
    parser.add_argument(
        '--constants', type=constants, nargs='+', default=[(20, 6), (50, 15)]
    )
    parser.add_argument('--rounds', type=int, default=1)
    parser.add_argument('--dense-to', type=int, default=8000, help='greatest N of it')
    parser.add_argument('--fused-from', type=int, default=50000, help='smallest N')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
import torch
from prettytable import PrettyTable

from hplreid.evaluation import evaluate_reranking, k_reciprocal_rerank
from hplreid.evaluation.rerank.joint_distances import JointDistances
from hplreid.utils.measuring import PAUSE, MemoryWatch, time_call
from hplreid.utils.run_tool import run_tool

BLOCK = 512
QUERIES = {19281: 3368, 93820: 11659}  # Market-1501 and MSMT17; else one in eight


@dataclass(frozen=True)
class Data:
    """Features and identities, queries first."""

    feats: np.ndarray
    pids: np.ndarray
    num_queries: int

    @classmethod
    def make(cls, total: int, length: int = 512, seed: int = 0) -> 'Data':
        """Make clusters of some 25 items, with noise of the size of a cluster."""
        rng = np.random.default_rng(seed)
        num_ids = max(2, total // 25)
        centers = rng.standard_normal((num_ids, length), dtype=np.float32)
        pids = rng.integers(0, num_ids, total)
        feats = rng.standard_normal((total, length), dtype=np.float32)
        feats *= 1.2
        feats += centers[pids]
        feats /= np.linalg.norm(feats, axis=1, keepdims=True)
        return cls(feats, pids, QUERIES.get(total, total // 8))

    def halves(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the part of the queries and the part of the gallery."""
        return values[: self.num_queries], values[self.num_queries :]


@dataclass
class Contestant:
    """A function with what was measured of it."""

    run: Callable[[], object]
    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)

    def measure(self) -> object:
        """Run it once on a machine at rest; return what it returns."""
        with MemoryWatch() as watch:
            seconds, result = time_call(self.run, PAUSE)
        self.seconds.append(seconds)
        output = result.nbytes if isinstance(result, np.ndarray) else 0
        self.mebibytes.append((watch.growth - output) / 2**20)
        return result


def bare_product(data: Data) -> None:
    """Multiply all features with each other, a block at a time."""
    for start in range(0, len(data.feats), BLOCK):
        data.feats[start : start + BLOCK] @ data.feats.T


def dense_rerank(data: Data, k1: int, k2: int, share: float = 0.3) -> np.ndarray:
    """Re-rank with full matrices, a row at a time, as the method is usually written."""
    distances = JointDistances(*data.halves(data.feats))
    total = len(distances)
    original = np.empty((total, total), np.float32)
    for start in range(0, total, BLOCK):
        stop = min(start + BLOCK, total)
        original[start:stop] = distances.block(start, stop).numpy()
    original /= original.max(axis=1, keepdims=True)
    ranked = original.argsort(axis=1).astype(np.int32)

    def mutual(i: int, k: int) -> np.ndarray:
        near = ranked[i, : k + 1]
        return near[(ranked[near, : k + 1] == i).any(axis=1)]

    vectors = np.zeros_like(original)
    for i in range(total):
        members = mutual(i, k1)
        widened = [members]
        for j in members:
            small = mutual(j, round(k1 / 2))
            if len(np.intersect1d(small, members)) > 2 / 3 * len(small):
                widened.append(small)
        items = np.unique(np.concatenate(widened))
        weights = np.exp(-original[i, items])
        vectors[i, items] = weights / weights.sum()
    if k2 > 1:
        averaged = np.empty_like(vectors)
        for i in range(total):
            averaged[i] = vectors[ranked[i, :k2]].mean(axis=0)
        vectors = averaged
    having = [np.flatnonzero(vectors[:, i]) for i in range(total)]
    result = np.empty((data.num_queries, total), np.float32)
    for i in range(data.num_queries):
        common = np.zeros(total, np.float32)
        for item in np.flatnonzero(vectors[i]):
            rows = having[item]
            common[rows] += np.minimum(vectors[i, item], vectors[rows, item])
        result[i] = (1 - share) * (1 - common / (2 - common)) + share * original[i]
    return result[:, data.num_queries :].copy()


def compare(
    data: Data, k1: int, k2: int, *, fused: bool, dense: bool, rounds: int
) -> list[str]:
    """Measure all contestants; return a row of the table."""

    def ours() -> object:
        feats = data.halves(data.feats)
        if fused:
            return evaluate_reranking(
                *feats, *data.halves(data.pids), k1=k1, k2=k2, block_size=BLOCK
            )
        return k_reciprocal_rerank(*feats, k1, k2, block_size=BLOCK)

    product = Contestant(lambda: bare_product(data))
    sparse = Contestant(ours)
    plain = Contestant(lambda: dense_rerank(data, k1, k2))
    differ = '-'
    for _ in range(rounds):
        product.measure()
        result = sparse.measure()
        if dense:
            expected = plain.measure()
            differ = f'{np.abs(result - expected).max():.1e}'
    base, time_ours = (statistics.median(c.seconds) for c in (product, sparse))
    memory_ours = max(sparse.mebibytes)
    row = [
        f'{len(data.feats):,}',
        f'{k1}/{k2}',
        'scores' if fused else 'distances',
        f'{base:.2f}',
        f'{time_ours:.2f}',
        f'{time_ours / base:.2f}',
        f'{memory_ours:,.0f}',
    ]
    if not dense:
        return [*row, '-', '-', '-', '-']
    time_dense, memory_dense = statistics.median(plain.seconds), max(plain.mebibytes)
    return [
        *row,
        f'{time_dense:.2f}',
        f'{memory_dense:,.0f}',
        f'{time_dense / time_ours:.1f}',
        differ,
    ]


def main(args: argparse.Namespace) -> None:
    """Print the table."""
    table = PrettyTable(
        ['N', 'k1/k2', 'returns', 'product, s', 'ours, s', 'ours / product']
        + ['ours, MiB', 'dense, s', 'dense, MiB', 'dense / ours', 'differ by']
    )
    for total in args.sizes:
        data = Data.make(total)
        for k1, k2 in args.constants:
            fused = total >= args.fused_from
            dense = total <= args.dense_to and not fused
            table.add_row(
                compare(data, k1, k2, fused=fused, dense=dense, rounds=args.rounds)
            )
    threads = torch.get_num_threads()
    print(f'{threads} threads, 512-d float32, median of {args.rounds} rounds')
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
