"""Time galleries beside faiss Flat: building, memory, queries, filters and recall.

    python tools/analysis_tools/benchmark_search.py [--items 100000] [--approximate]
        [--url http://HOST:PORT/COLLECTION] [--folder DIR]

The vectors are made: identities are points of a space of 64 dimensions in one of 512,
and items are near them. Each engine runs in a process of its own, one after the other,
on the same vectors and queries; memory is the most that its process had above what it
began with. Filters let an eighth of the items through. Recall is the share of faiss's
10 nearest items that an engine found; without faiss, of NumPy's. The gallery in --url
is removed afterwards.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--items', type=int, default=100_000)
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--queries', type=int, default=50)
    parser.add_argument(
        '--approximate', action='store_true', help='build the index, and time it too'
    )
    parser.add_argument('--url', help='time a gallery on this server, too')
    parser.add_argument(
        '--folder', default='.', help='where the embedded gallery is made for the time'
    )
    parser.add_argument('--threads', type=int, default=0, help='default: all cores')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.items < 100 or args.queries < 1 or args.dim < 64:
        parser.error('expected --items 100, --queries 1 and --dim 64 at least')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from prettytable import PrettyTable

from hplreid.search import Filters, Gallery, Item, ModelKey
from hplreid.search.nearest import find_nearest_items
from hplreid.search.stores import open_store
from hplreid.utils.run_tool import run_tool

TOPK, CAMERAS, BATCH, INTRINSIC = 10, 8, 2048, 64
KEY = 'benchmark'


@dataclass(frozen=True)
class Data:
    """Vectors that each process makes again."""

    items: int
    dim: int
    queries: int

    def batches(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the first number and the vectors, ``(B, d)``, of each batch."""
        for start in range(0, self.items, BATCH):
            size = min(BATCH, self.items - start)
            yield start, self._near(np.arange(start, start + size), seed=start + 1)

    def query_vectors(self) -> np.ndarray:
        """Return other items of some of the identities."""
        chosen = np.random.default_rng(7).integers(self.items, size=self.queries)
        return self._near(chosen, seed=0)

    def _near(self, items: np.ndarray, seed: int) -> np.ndarray:
        identities, place = np.unique(items // 10, return_inverse=True)
        basis = np.random.default_rng(11).standard_normal((INTRINSIC, self.dim))
        draw = [np.random.default_rng([13, identity]) for identity in identities]
        centers = np.stack([one.standard_normal(INTRINSIC) for one in draw])[place]
        noise = np.random.default_rng([17, seed]).standard_normal(centers.shape)
        vectors = ((centers + 0.5 * noise) @ basis).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def peak() -> float:
    """Return the most memory that this process had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def time_queries(
    search: Callable[[np.ndarray], list[int]], queries: np.ndarray
) -> tuple[float, list[list[int]]]:
    """Return queries a second, one after the other, and what was found."""
    search(queries[0])
    start = time.perf_counter()
    found = [search(query) for query in queries]
    return len(queries) / (time.perf_counter() - start), found


def run_faiss(data: Data, args: argparse.Namespace) -> dict[str, Any]:
    """Time faiss Flat."""
    faiss = import_module('faiss')
    if args.threads:
        faiss.omp_set_num_threads(args.threads)
    before, start = peak(), time.perf_counter()
    making = 0.0
    index = faiss.IndexFlatIP(data.dim)
    for _, vectors in _timed(data):
        index.add(vectors)
    making = _timed.seconds  # type: ignore[attr-defined]
    seconds = time.perf_counter() - start - making
    members = np.arange(data.items)[np.arange(data.items) % CAMERAS == 3]
    chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(members))

    def search(query: np.ndarray, params: Any = None) -> list[int]:  # noqa: ANN401
        return index.search(query[None], TOPK, params=params)[1][0].tolist()

    queries = data.query_vectors()
    speed, found = time_queries(search, queries)
    filtered, inside = time_queries(lambda q: search(q, chosen), queries)
    return dict(
        build=seconds, memory=peak() - before,
        modes={'exact': (speed, found), 'filtered': (filtered, inside)},
    )  # fmt: skip


def run_numpy(data: Data, args: argparse.Namespace) -> dict[str, Any]:
    """Find the nearest items in NumPy, where there is no faiss; not timed."""
    queries = data.query_vectors()
    scores = np.concatenate([queries @ v.T for _, v in data.batches()], axis=1)
    inside = np.where(np.arange(data.items) % CAMERAS == 3, scores, -np.inf)
    found = [np.argsort(-s, kind='stable')[:, :TOPK].tolist() for s in (scores, inside)]
    nan = float('nan')
    modes = {'exact': (nan, found[0]), 'filtered': (nan, found[1])}
    return dict(build=nan, memory=nan, modes=modes)


def run_gallery(data: Data, args: argparse.Namespace, url: str) -> dict[str, Any]:
    """Time a gallery, embedded or on a server."""
    before, start = peak(), time.perf_counter()
    key = ModelKey(KEY, KEY, {'i2i': data.dim}, KEY)
    with Gallery.create(url, key) as gallery:
        for first, vectors in _timed(data):
            numbers = range(first, first + len(vectors))
            items = [Item(f'{n:09d}', camera=str(n % CAMERAS)) for n in numbers]
            gallery.add(items, {'i2i': vectors})
    seconds = time.perf_counter() - start - _timed.seconds  # type: ignore[attr-defined]
    store = open_store(url)
    queries, camera = data.query_vectors(), Filters(cameras=('3',))

    def search(
        query: np.ndarray, filters: Filters | None = None, exact: bool = True
    ) -> list[int]:
        ranked = find_nearest_items(store, {'i2i': query}, TOPK, filters, exact=exact)
        return [int(point.payload['id']) for _, point in ranked]

    modes = {
        'exact': time_queries(search, queries),
        'filtered': time_queries(lambda q: search(q, camera), queries),
    }
    result = dict(build=seconds, memory=peak() - before, modes=modes)
    store.close()
    if args.approximate:
        start = time.perf_counter()
        with Gallery.open(url) as gallery:
            gallery.build_index()
        result['index'] = time.perf_counter() - start
        store = open_store(url)
        modes['approximate'] = time_queries(lambda q: search(q, exact=False), queries)
        modes['approximate, filtered'] = time_queries(
            lambda q: search(q, camera, exact=False), queries
        )
        result['memory'] = peak() - before
        store.close()
    return result


def _timed(data: Data) -> Iterator[tuple[int, np.ndarray]]:
    """Yield batches; ``_timed.seconds`` is how long making them took."""
    _timed.seconds = 0.0  # type: ignore[attr-defined]
    batches = data.batches()
    while True:
        start = time.perf_counter()
        batch = next(batches, None)
        _timed.seconds += time.perf_counter() - start  # type: ignore[attr-defined]
        if batch is None:
            return
        yield batch


def in_process(function: Callable[..., dict[str, Any]], *arguments: Any) -> Any:  # noqa: ANN401
    """Call a function in a process of its own."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, arguments)


def recall(found: list[list[int]], expected: list[list[int]]) -> float:
    """Return the share of the nearest items that were found."""
    hits = [len({*a} & {*b}) / len(b) for a, b in zip(found, expected, strict=True)]
    return float(np.mean(hits))


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    data = Data(args.items, args.dim, args.queries)
    has_faiss = find_spec('faiss') is not None
    reference = in_process(run_faiss if has_faiss else run_numpy, data, args)
    results = {'faiss Flat' if has_faiss else 'NumPy (not timed)': reference}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = os.path.join(folder, 'gallery')
        results['gallery in a folder'] = in_process(run_gallery, data, args, path)
    if args.url:
        results['gallery on a server'] = in_process(run_gallery, data, args, args.url)
        _remove_collection(args.url)
    table = PrettyTable(
        ['engine', 'mode', 'build, s', 'memory, MiB', 'queries/s', 'recall@10'],
        title=f'{args.items:,} x {args.dim} float32, {args.queries} queries one by one',
    )
    for name, result in results.items():
        for mode, (speed, found) in result['modes'].items():
            near = 'filtered' if 'filtered' in mode else 'exact'
            indexed = result.get('index') if mode == 'approximate' else None
            built = result['build'] if mode == 'exact' else indexed
            memory = f'{result["memory"]:,.0f}' if mode == 'exact' else ''
            table.add_row(
                [
                    name,
                    mode,
                    '' if built is None else f'{built:.1f}',
                    memory,
                    f'{speed:.1f}',
                    f'{recall(found, reference["modes"][near][1]):.4f}',
                ]
            )
    print(table)


def _remove_collection(url: str) -> None:
    from hplreid.search.stores.server import ServerStore

    store = ServerStore.open(url)
    store.drop()
    store.close()


if __name__ == '__main__':
    run_tool(main, ARGS)
