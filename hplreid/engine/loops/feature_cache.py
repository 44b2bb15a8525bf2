"""Compute features of a training set once, and train on them in place of images."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from hplreid.structures import ReIDDataSample
from hplreid.structures.feature_bundle import ALL
from hplreid.utils.log import log

from ..random_state import preserved_rng
from ..sharding import gathered

FeatureRows = tuple[Tensor, Tensor]
"""A feature of some items, ``(n, ...)``, and their positions ``(n,)``, ascending."""


def extract_features(
    model: nn.Module, loader: DataLoader, names: Collection[str]
) -> dict[str, Tensor]:
    """Compute named features of every item of a loader's dataset, in its order.

    Args:
        model: See :func:`extract_feature_rows`.
        loader: See there.
        names: See there.

    Returns:
        ``(N, ...)`` for each name, float32 at least, on the CPU.

    Raises:
        ValueError: Some items have no such feature.
    """
    features = extract_feature_rows(model, loader, names, every_item=True)
    return {name: values for name, (values, _) in features.items()}


@torch.no_grad()
def extract_feature_rows(
    model: Any,  # noqa: ANN401
    loader: DataLoader,
    names: Collection[str],
    every_item: bool = False,
) -> dict[str, FeatureRows]:
    """Compute named features of those items of a dataset that have them.

    Each process computes a share and gets the features of all. Random generators and
    the mode of the model are restored.

    Args:
        model: A method, not wrapped.
        loader: A dataloader, whose dataset, batch size, number of workers and collate
            function are used.
        names: Names of features that the model computes.
        every_item: Whether each feature must be one of all items.

    Returns:
        For each name the features, float32 at least, on the CPU, and positions of their
        items.

    Raises:
        KeyError: No item has a feature of that name.
        ValueError: Some items lack a feature, and ``every_item`` is True.
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
    rows: dict[str, list[FeatureRows]] = {name: [] for name in names}
    done = 0
    with preserved_rng(), gathered(model):
        for batch in tqdm(share, desc='features', unit='batch', disable=rank > 0):
            inputs = model.data_preprocessor(batch)['inputs']
            bundle = model.extract(inputs, names)
            own = positions[done : done + len(bundle.labels)]
            done += len(own)
            # A batch without captions has no features of captions
            for name in names if every_item else set(names) & set(bundle.names):
                group = ALL if every_item else bundle.group_of(name) or ALL
                values, _ = bundle.select(name, group)
                at = own if group == ALL else own[bundle.rows[group].cpu()]
                rows[name].append((_at_least_float32(values).cpu(), at))
    model.train(was_training)
    shares = all_gather_object(rows)
    return {name: _join(name, [p for s in shares for p in s[name]]) for name in names}


def _at_least_float32(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def _join(name: str, parts: Sequence[FeatureRows]) -> FeatureRows:
    """Join the rows of all batches and processes, in the order of their items."""
    if not parts:
        raise KeyError(f"No item of the dataset has a feature '{name}'.")
    values, positions = (torch.cat(column) for column in zip(*parts, strict=True))
    order = positions.argsort()
    return values[order], positions[order]


class CachedFeatures(Dataset):
    """A dataset whose items are features instead of images.

    Samplers can't tell it from the dataset of images. It returns whole batches, as
    :func:`reid_collate` makes them, with ``features`` in place of images and captions.
    :meth:`fill` must be called first.

    Args:
        dataset: The dataset of images.
        names: Names of the features.
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
        log(
            f'Computed {", ".join(self.names)} of {len(self):,} items '
            f'({size / 2**20:.1f} MiB): this stage loads no images.'
        )

    def __getitems__(self, indices: Sequence[int | tuple[int, int]]) -> dict[str, Any]:
        """Return the batch of the items at some positions; seeds are ignored."""
        positions = [i[0] if isinstance(i, tuple) else int(i) for i in indices]
        rows = torch.tensor(positions)
        no_rows = torch.empty(0, dtype=torch.int64)
        items = [self.dataset.get_data_info(position) for position in positions]
        return {
            'inputs': {
                'images': torch.empty(0),
                'image_rows': no_rows,
                'captions': torch.empty(0),
                'caption_rows': no_rows,
                'features': {n: values[rows] for n, values in self._features.items()},
            },
            'data_samples': [
                ReIDDataSample(metainfo={'label': item['label'], 'pid': item['pid']})
                for item in items
            ],
        }


def pass_through_collate(batch: dict[str, Any]) -> dict[str, Any]:
    """Return the batch that a dataset has already made, in place of collating items."""
    return batch
