"""Draw what the pipeline of a config gives the model.

python tools/visualization/browse_dataset.py configs/hpl/hpl_tiny_synthpeds.py

Of training, the first batch of an epoch, drawn by the config's own sampler and seed:
images after augmentation, as they are when normalized and erased (and turned back to
colors), captions as tokens. Of a benchmark, queries and gallery items.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--split', default='train', help="'train' (the default) or a benchmark's name"
    )
    parser.add_argument(
        '--stage', help="stage of training; defaults to the epoch's, then to the last"
    )
    parser.add_argument(
        '--epoch',
        type=int,
        metavar='E',
        help="epoch, counted from 1 as in the log; defaults to the stage's first",
    )
    parser.add_argument(
        '--num', type=int, default=16, metavar='N', help='samples; defaults to 16'
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='PNG',
        help='defaults to browse_<what>.png in work_dirs/<name of the config>',
    )
    parser.add_argument('--seed', type=int, help="defaults to the config's")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='change the config',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.num < 1:
        parser.error(f'--num must be at least 1, got {args.num}')
    if args.split != 'train' and (args.stage or args.epoch is not None):
        parser.error('--stage and --epoch are for training; leave out --split')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from hplreid.datasets import MaskCaption
from hplreid.datasets.transforms.caption_tokens import MASK_ID, decode_tokens
from hplreid.engine.config import flags, read_config
from hplreid.engine.loops.stage import parse_stages
from hplreid.engine.loops.stage_dataloader import set_loader_position
from hplreid.engine.run import prepare_run
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import SheetSample, Token, draw_sample_sheet
from hplreid.visualization.sample_sheet import Mark


@dataclass(frozen=True)
class View:
    """What to draw.

    Attributes:
        name: For the title.
        loader: Config of the loader.
        epoch: Epoch of training, from 0; None for a benchmark.
    """

    name: str
    loader: dict[str, Any]
    epoch: int | None = None


def choose_benchmark(config: Config, name: str) -> View:
    """Find the loader of a benchmark.

    Raises:
        ValueError: There is none of this name.
    """
    loaders = config.get('test_dataloader') or {}
    if name not in loaders or 'dataset' in loaders:
        known = [] if 'dataset' in loaders else list(loaders)
        raise ValueError(f'--split {name}: expected one of {["train", *known]}.')
    return View(f"benchmark '{name}'", loaders[name].to_dict())


def choose_epoch(config: Config, stage: str | None, epoch: int | None) -> View:
    """Find the loader of a stage and the epoch.

    Args:
        config: The config.
        stage: Name of the stage, if one is asked for.
        epoch: The epoch, from 1, if one is asked for.

    Raises:
        ValueError: There is no such stage, or no such epoch in it.
    """
    stages = parse_stages(
        config.train_cfg.get('stages'), config.optim_wrapper, config.train_dataloader
    )
    ends = list(accumulate(s.epochs for s in stages))
    # Of the stages that fit what is asked for, the last
    fitting = [
        (s, end)
        for s, end in zip(stages, ends, strict=True)
        if stage in (None, s.name) and (epoch is None or end - s.epochs < epoch <= end)
    ]
    if not fitting:
        known = ', '.join(
            f"'{s.name}' (epochs {end - s.epochs + 1} to {end})"
            for s, end in zip(stages, ends, strict=True)
        )
        asked = f'--stage {stage} ' * (stage is not None)
        asked += f'--epoch {epoch} ' * (epoch is not None)
        raise ValueError(f'{asked.strip()}: the config has {known}.')
    found, end = fitting[-1]
    number = end - found.epochs + 1 if epoch is None else epoch
    name = f"stage '{found.name}', epoch {number}"
    return View(name, found.dataloader, number - 1)


def build_loader(config: Config, view: View) -> DataLoader:
    """Build the loader as a run does, once its data is there; it has no workers.

    Raises:
        ConfigError: Something is missing.
    """
    # The rest of the config (weights, other data) needn't be there
    alone = {
        'data_preparers': config.get('data_preparers'),
        'train_dataloader': view.loader,
    }
    prepare_run(Config(alone, filename=config.filename), training=False)
    init_default_scope(config.get('default_scope', 'hplreid'))
    in_order = {'type': 'DefaultSampler', 'shuffle': False}  # as BenchmarkLoop
    loader = {'sampler': in_order, **view.loader, 'num_workers': 0}
    for key in ('persistent_workers', 'prefetch_factor', 'pin_memory'):
        loader.pop(key, None)
    seed = config.get('randomness', {}).get('seed')
    return Runner.build_dataloader(loader, seed=seed)


def choose_items(
    loader: DataLoader, epoch: int | None, num: int
) -> Iterator[tuple[str, list]]:
    """Yield a heading and the indices, for each part of a batch or of a benchmark.

    Args:
        loader: The loader.
        epoch: The epoch, from 0; None for a benchmark.
        num: Items of all parts, which share equally.
    """
    if epoch is not None:
        set_loader_position(loader, epoch, 0)
        batch = list(islice(loader.sampler, loader.batch_size))
        sizes = getattr(loader.sampler, 'parts', (len(batch),))
        begin = 0
        for size in sizes:
            end = begin + min(max(num // len(sizes), 1), size)
            yield f'Items {begin + 1} to {end} of {len(batch)}', batch[begin:end]
            begin += size
        return
    dataset = loader.dataset
    splits = [dataset.get_data_info(i)['split'] for i in range(len(dataset))]
    names = sorted(set(splits), reverse=True)  # queries first
    for name in names:
        places = [i for i, split in enumerate(splits) if split == name]
        share = min(max(num // len(names), 1), len(places))
        spread = np.linspace(0, len(places) - 1, share).round().astype(int)
        heading = f'{name.capitalize()}: {share} of {len(places):,} items'
        yield heading, [places[i] for i in spread]


def run_pipeline(
    loader: DataLoader, items: list, preprocessor: dict[str, Any] | None
) -> list[SheetSample]:
    """Run pipeline, collation and data preprocessor on items.

    Args:
        loader: The loader.
        items: What its sampler gives.
        preprocessor: Config of the data preprocessor.
    """
    preprocess = MODELS.build(preprocessor or {'type': 'ReIDDataPreprocessor'})
    batch = preprocess(loader.collate_fn([loader.dataset[item] for item in items]))
    inputs = batch['inputs']
    images, tokens = {}, {}
    if len(inputs['images']):
        pixels = preprocess.denormalize(inputs['images'])
        images = dict(zip(inputs['image_rows'].tolist(), pixels, strict=True))
    if len(inputs['captions']):
        captions = inputs.get('masked_captions', inputs['captions'])
        labels = inputs.get('mask_labels', captions)
        both = zip(captions, labels, strict=True)
        tokens = dict(zip(inputs['caption_rows'].tolist(), both, strict=True))
    return [
        SheetSample(
            image=to_image(images[row]) if row in images else None,
            tokens=to_tokens(*tokens[row]) if row in tokens else None,
            label=describe(sample),
            identity=sample.label
            if sample.label >= 0
            else f'{sample.source} {sample.pid}',
        )
        for row, sample in enumerate(batch['data_samples'])
    ]


def to_image(pixels: Tensor) -> Image.Image:
    """Turn a uint8 tensor ``(3, H, W)`` into an image."""
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def to_tokens(caption: Tensor, labels: Tensor) -> tuple[Token, ...]:
    """Return the tokens between start and end, and what masking did to them.

    Args:
        caption: Tokens, ``(L,)``.
        labels: Those that were selected as they were; or the caption, if none were.
    """
    words = (caption > 0) & (caption <= MASK_ID)
    chosen = zip(caption[words].tolist(), labels[words].tolist(), strict=True)
    texts = decode_tokens(caption)
    return tuple(
        Token(text, mark(token, label))
        for text, (token, label) in zip(texts, chosen, strict=True)
    )


def mark(token: int, label: int) -> Mark:
    """Say what masking did to a token; ``label`` is what it was, 0 if not selected."""
    if token == MASK_ID:
        return 'masked'
    return 'plain' if label in (0, token) else 'exchanged'


def describe(sample: ReIDDataSample) -> tuple[str, str]:
    """Return the lines below a sample."""
    label = f'label {sample.label}, ' if sample.label >= 0 else ''
    camera = f', cam {sample.camid}' if sample.camid >= 0 else ''
    return f'{label}id {sample.pid}{camera}', f'{sample.img_path or sample.source}'


def draw(config: Config, view: View, num: int) -> Image.Image:
    """Draw the sheet."""
    loader = build_loader(config, view)
    chosen = list(choose_items(loader, view.epoch, num))
    items = [item for _, items in chosen for item in items]
    samples = run_pipeline(loader, items, config.model.get('data_preprocessor'))
    ends = list(accumulate(len(items) for _, items in chosen))
    parts = [
        (heading, samples[end - len(items) : end])
        for (heading, items), end in zip(chosen, ends, strict=True)
    ]
    pipeline = loader.dataset.pipeline
    head = [f'{Path(config.filename).stem}: {view.name}']
    if view.epoch is not None:
        head[0] += f', first of {len(loader)} batches of {loader.batch_size} items'
    head.append('Pipeline: ' + ', '.join(type(step).__name__ for step in pipeline))
    if any(isinstance(s, MaskCaption) and not s.replace for s in pipeline):
        head.append('Captions are drawn masked; only a loss on words reads them so.')
    return draw_sample_sheet(parts, head)


def save(image: Image.Image, path: Path) -> None:
    """Write a PNG file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        image.save(temporary, format='PNG')
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, None)
    flags.set_seed(config, args.seed)
    with as_user_errors(OSError, ValueError):
        if args.split == 'train':
            view = choose_epoch(config, args.stage, args.epoch)
        else:
            view = choose_benchmark(config, args.split)
        image = draw(config, view, args.num)
    what = args.split if view.epoch is None else f'epoch_{view.epoch + 1}'
    out = args.out or Path(config.work_dir) / f'browse_{what}.png'
    save(image, out)
    print(f'{out}: {view.name}')


if __name__ == '__main__':
    run_tool(main, ARGS)
