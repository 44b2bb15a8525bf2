"""Features of a training set, computed once by what a stage has frozen."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from hplreid.structures import ReIDDataSample
from hplreid.structures.feature_bundle import ALL

from ..random_state import preserved_rng

Rows = tuple[Tensor, Tensor]
"""A feature of some items, ``(n, ...)``, and their positions, ``(n,)``, ascending."""


def extract_features(
    model: nn.Module, loader: DataLoader, names: Collection[str]
) -> dict[str, Tensor]:
    """Compute named features of every item of a loader's dataset, in its order.

    Arguments: see :func:`extract_rows`.

    Returns:
        ``(N, ...)`` each, float32, on the CPU.

    Raises:
        ValueError: A feature isn't one of all items.
    """
    found = extract_rows(model, loader, names, every_item=True)
    return {name: values for name, (values, _) in found.items()}


@torch.no_grad()
def extract_rows(
    model: Any,  # noqa: ANN401
    loader: DataLoader,
    names: Collection[str],
    every_item: bool = False,
) -> dict[str, Rows]:
    """Compute named features of a loader's dataset, each of the items that have it.

    Each process computes its share; all of them get everything. Random generators and
    the model's mode are left as they were.

    Args:
        model: A method, not wrapped.
        loader: Says how to load: its dataset, batch size, workers, collate function.
        names: What to keep of what the model offers.
        every_item: Whether a feature that not all items have is an error.

    Returns:
        Features, float32, on the CPU, and the positions of their items.

    Raises:
        KeyError: No item has such a feature.
        ValueError: See ``every_item``.
    """
    dataset = cast(Any, loader.dataset)
    rank, world = get_rank(), get_world_size()
    positions = torch.arange(rank, len(dataset), world)
    share = DataLoader(
        Subset(dataset, positions.tolist()),
        batch_size=loader.batch_size,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
    )
    was_training = model.training
    model.eval()
    rows: dict[str, list[Rows]] = {name: [] for name in names}
    done = 0
    with preserved_rng():
        for batch in tqdm(share, desc='features', unit='batch', disable=rank > 0):
            inputs = model.data_preprocessor(batch)['inputs']
            bundle = model.extract(inputs, names)
            own = positions[done : done + len(bundle.labels)]
            done += len(own)
            # A batch without a caption offers nothing of captions
            for name in names if every_item else set(names) & set(bundle.names):
                group = ALL if every_item else bundle.group_of(name) or ALL
                values, _ = bundle.select(name, group)
                at = own if group == ALL else own[bundle.rows[group].cpu()]
                rows[name].append((values.float().cpu(), at))
    model.train(was_training)
    shares = all_gather_object(rows)
    return {name: _join(name, [p for s in shares for p in s[name]]) for name in names}


def _join(name: str, parts: Sequence[Rows]) -> Rows:
    """Put rows of all batches of all processes in the order of their items."""
    if not parts:
        raise KeyError(f"No item of the dataset has a feature '{name}'.")
    values, positions = (torch.cat(column) for column in zip(*parts, strict=True))
    order = positions.argsort()
    return values[order], positions[order]


class CachedFeatures(Dataset):
    """A dataset whose items are features instead of images.

    To samplers it is what the dataset is. It gives whole batches, as
    :func:`reid_collate` makes them, without images and captions, but with
    ``features``. Those are there once :meth:`fill` has been called.

    Args:
        dataset: The dataset.
        names: Features to keep.
    """

    def __init__(self, dataset: Dataset, names: Collection[str]) -> None:
        self.dataset = cast(Any, dataset)
        self.names = tuple(names)
        self.labels = self.dataset.labels
        self.has_caption = self.dataset.has_caption
        self.metainfo = self.dataset.metainfo
        self._features: Mapping[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def fill(self, model: nn.Module, loader: DataLoader) -> None:
        """Compute the features of all items, in batches like those of ``loader``."""
        self._features = extract_features(model, loader, self.names)
        size = sum(f.numel() * f.element_size() for f in self._features.values())
        print_log(
            f'Kept {", ".join(self.names)} of {len(self):,} items, {size / 2**20:.1f} '
            'MiB: this stage loads no image.',
            logger='current',
        )

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> dict[str, Any]:
        """Return the batch of some positions; their seeds are not needed."""
        positions = [i[0] if isinstance(i, tuple) else int(i) for i in indices]
        rows = torch.tensor(positions)
        nothing = torch.empty(0, dtype=torch.int64)
        items = [self.dataset.get_data_info(position) for position in positions]
        return {
            'inputs': {
                'images': torch.empty(0),
                'image_rows': nothing,
                'captions': torch.empty(0),
                'caption_rows': nothing,
                'features': {n: values[rows] for n, values in self._features.items()},
            },
            'data_samples': [
                ReIDDataSample(metainfo={'label': item['label'], 'pid': item['pid']})
                for item in items
            ],
        }


def as_it_is(batch: dict[str, Any]) -> dict[str, Any]:
    """Collate what is a batch already."""
    return batch
