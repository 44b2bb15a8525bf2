"""Images a second on one core, to 256 x 128: the stock pipeline against ours.

    python tools/analysis_tools/benchmark_loading.py

Stock is what re-identification code usually does: PIL, then torchvision's Resize
(bicubic), RandomHorizontalFlip, Pad, RandomCrop, ToTensor, Normalize and RandomErasing,
and a stacked batch of floats. Ours is the training pipeline of this project with the
same steps: a dataset with seeded items, collated to a batch of uint8; on its own
(``batch``), and with the data preprocessor, which normalizes and erases, run on the CPU
too (``floats``). With a GPU that part is not the loader's. Images are made up.

Everything runs in one process with one thread. Rounds alternate and each is timed by
the CPU time of the thread, so that other programs on the machine hit all alike. The
figures are medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=256)
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
import torch
import torchvision.transforms as T
from PIL import Image
from prettytable import PrettyTable
from torch.utils.data import DataLoader, Dataset

from hplreid.datasets import reid_collate
from hplreid.datasets.images.cache_builder import build_cache
from hplreid.datasets.images.cache_index import CacheKey
from hplreid.datasets.items import ItemDataset
from hplreid.models.data_preprocessor import ReIDDataPreprocessor
from hplreid.utils.run_tool import run_tool

SIZE = (256, 128)
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
AUGMENTATION = [
    dict(type='RandomFlip', prob=0.5),
    dict(type='PadRandomCrop', padding=10),
    dict(type='RandomErasing', prob=0.5, area=(0.02, 0.4)),
    dict(type='PackReIDInputs'),
]
LOADING = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=SIZE, interpolation='bicubic'),
]


class StockDataset(Dataset):
    """PIL and torchvision, as everyone has it."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.transform = T.Compose(
            [
                T.Resize(SIZE, T.InterpolationMode.BICUBIC),
                T.RandomHorizontalFlip(0.5),
                T.Pad(10),
                T.RandomCrop(SIZE),
                T.ToTensor(),
                T.Normalize(MEAN, STD),
                T.RandomErasing(0.5, (0.02, 0.4), value=MEAN),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[index]).convert('RGB'))


class Numbered:
    """A sampler: every item once, each with a seed of its own, as in training."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __iter__(self):
        return ((index, 7 * index + 1) for index in range(self.length))


def make_images(folder: Path, height: int, width: int, count: int) -> list[str]:
    """Write JPEGs of colored patches with fine noise; return their paths."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        shape = (height // 8 + 1, width // 8 + 1, 3)
        patches = Image.fromarray(rng.integers(256, size=shape, dtype=np.uint8))
        smooth = np.asarray(patches.resize((width, height), Image.Resampling.BICUBIC))
        noisy = smooth + rng.integers(-12, 13, size=smooth.shape)
        path = folder / f'{number:04d}.jpg'
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        paths.append(str(path))
    return paths


def make_ours(paths: list[str], loading: list[dict], batch_size: int) -> DataLoader:
    """Return a loader of our dataset whose pipeline starts with ``loading``."""
    items = [
        dict(img_path=path, pid=0, label=0, camid=0, caption=None, source='made-up',
             split='train')
        for path in paths
    ]  # fmt: skip
    dataset = ItemDataset(items, [*loading, *AUGMENTATION], dict(num_ids=1))
    sampler = Numbered(len(paths))
    return DataLoader(dataset, batch_size, sampler=sampler, collate_fn=reid_collate)


def make_contestants(
    paths: list[str], cache: str, batch_size: int
) -> dict[str, Callable[[], None]]:
    """Return what each contestant does in a round: all images, once."""
    stock = DataLoader(StockDataset(paths), batch_size)
    plain = make_ours(paths, LOADING, batch_size)
    cached_step = dict(LOADING[1], type='LoadCachedImage', cache=cache)
    cached = make_ours(paths, [cached_step], batch_size)
    preprocessor = ReIDDataPreprocessor(MEAN, STD)

    def drain(loader: DataLoader, finish: Callable) -> Callable[[], None]:
        def run() -> None:
            for batch in loader:
                finish(batch)

        return run

    def keep(batch: object) -> object:
        return batch

    def prepare(batch: dict) -> dict:
        return preprocessor(batch, training=True)

    return {
        'stock': drain(stock, keep),
        'ours, batch': drain(plain, keep),
        'ours, floats': drain(plain, prepare),
        'ours with cache, batch': drain(cached, keep),
        'ours with cache, floats': drain(cached, prepare),
    }


def measure(
    contestants: dict[str, Callable[[], None]], rounds: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Return CPU and wall seconds of each contestant's rounds, the first left out."""
    times: dict[str, tuple[list[float], list[float]]] = {
        name: ([], []) for name in contestants
    }
    for number in range(rounds + 1):
        for name, run in contestants.items():
            start, wall = time.thread_time(), time.perf_counter()
            run()
            if number:
                times[name][0].append(time.thread_time() - start)
                times[name][1].append(time.perf_counter() - wall)
    return times


def main(args: argparse.Namespace) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    table = PrettyTable(
        ['from', 'pipeline', 'images/s', 'to stock', 'images/s, wall', 'to stock, wall']
    )
    table.align = 'r'
    table.align['pipeline'] = 'l'
    with tempfile.TemporaryDirectory() as folder:
        for height, width in ((128, 64), (300, 120)):
            root = Path(folder, f'{height}x{width}')
            paths = make_images(root, height, width, args.images)
            cache = str(Path(folder, f'cache_{height}x{width}'))
            key = CacheKey('made-up', SIZE, 'bicubic')
            build_cache(cache, key, paths, progress=False)
            contestants = make_contestants(paths, cache, args.batch_size)
            medians = {
                name: [statistics.median(t) for t in pair]
                for name, pair in measure(contestants, args.rounds).items()
            }
            for name, (cpu, wall) in medians.items():
                stock_cpu, stock_wall = medians['stock']
                table.add_row(
                    [
                        f'{height} x {width}',
                        name,
                        f'{args.images / cpu:,.0f}',
                        f'{stock_cpu / cpu:.2f}',
                        f'{args.images / wall:,.0f}',
                        f'{stock_wall / wall:.2f}',
                    ],
                    divider=name == list(medians)[-1],
                )
    print(
        f'To {SIZE[0]} x {SIZE[1]}, bicubic, batches of {args.batch_size}, one thread, '
        f'median of {args.rounds} rounds of {args.images} images'
    )
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
