r"""Count the parameters of each part of a config's model, in training and at test.

    python tools/analysis_tools/count_parameters.py configs/hpl/hpl_vitb16_joint.py \
        --num-ids 11754 --macs

With ``--macs`` the multiply-accumulates of one item are counted as well: in the forward
pass of a training step of each stage, divided by the items of its batch, and of an
image and a caption at test. The products inside attention count, captions are as long
as the text tower allows, and all their words are masked. What doesn't depend on the
batch, such as prompts of all identities, counts if it is computed in each step.

Neither data nor weights are needed: the model has random weights. Without
``--num-ids`` the identities of the training set are counted.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--num-ids', type=int, help='number of training identities')
    parser.add_argument(
        '--macs', action='store_true', help='count multiply-accumulates as well'
    )
    parser.add_argument('--cfg-options', nargs='+', action='extend')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from hplreid.engine.config import fill_num_ids, forget_pretrained, read_config
from hplreid.engine.loops import Stage, parse_stages, set_trainable
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.run_tool import run_tool

# A context in which tensors have shapes but no data: large batches take no memory
WITHOUT_DATA = FakeTensorMode(allow_non_fake_inputs=True)


def count(module: nn.Module) -> int:
    """Return the number of a module's parameters."""
    return sum(p.numel() for p in module.parameters())


class AllNonZero(TorchDispatchMode):
    """A dispatch mode in which all elements of a tensor without data are nonzero."""

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        """Compute ``nonzero`` from the shape; call all other functions."""
        if function is torch.ops.aten.nonzero.default:
            return args[0].new_empty((args[0].numel(), args[0].dim()), dtype=torch.long)
        return function(*args, **(kwargs or {}))


def count_macs(model: nn.Module, run: Callable[[], Any]) -> dict[str, float]:
    """Count the multiply-accumulates of a function that runs the model once.

    Args:
        model: The model.
        run: A function that runs it.

    Returns:
        Multiply-accumulates of each part that has any, and of ``'all'``.
    """
    counter = FlopCounterMode(display=False)
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operator isn't counted
    try:
        # Kernels of attention are not counted on all devices
        with sdpa_kernel(SDPBackend.MATH), counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
    # A multiplication and an addition are two operations
    macs = {
        name: sum(operations.values()) / 2
        for name, operations in counter.get_flop_counts().items()
    }
    root, total = type(model).__name__, counter.get_total_flops() / 2
    parts = {
        # Lists of modules have no forward pass, but their members do
        name: macs.get(f'{root}.{name}', 0)
        or sum(macs.get(f'{root}.{name}.{child}', 0) for child, _ in m.named_children())
        for name, m in model.named_children()
        if name != 'heads'
    }
    parts['heads'] = total - sum(parts.values())
    return {**{k: v for k, v in parts.items() if v}, 'all': total}


def make_batch(
    model: nn.Module, stage: Stage, size: Sequence[int]
) -> tuple[dict[str, Any], int, str]:
    """Return a batch of a stage, its number of items and what an item is."""
    sampler = stage.dataloader['sampler']
    total = stage.dataloader['batch_size']
    pairs = sampler.get('num_pairs', total if hasattr(model, 'text_encoder') else 0)
    pairs = 0 if sampler['type'] == 'IdentitySampler' else pairs
    items = pairs or total
    item = 'pair' if pairs else 'image'
    if pairs and total > pairs:
        item = f'pair and {(total - pairs) / pairs:g} image(s)'
    rows = torch.arange(total)
    length = model.text_encoder.context_length if pairs else 0
    captions = torch.zeros(pairs, length, dtype=torch.int64)
    batch: dict[str, Any] = dict(
        images=torch.zeros(total, 3, *size),
        image_rows=rows,
        camids=rows,
        captions=captions,
        masked_captions=captions,
        mask_labels=captions,
        caption_rows=rows[:pairs],
        image_only_rows=rows[pairs:],
        labels=rows,
        unique_labels=rows,
        unique_index=rows,
    )
    if stage.cache_features:  # features in place of images
        widths = model.widths()
        batch['images'] = batch['images'][:0]
        batch['features'] = {
            name: torch.zeros(total, widths[name]) for name in stage.cache_features
        }
    return batch, items, item


def macs_in_training(
    model: nn.Module, stage: Stage, size: Sequence[int]
) -> tuple[dict[str, float], str]:
    """Count the forward pass of a training step, divided by the items of its batch.

    Args:
        model: A method. If it has prototypes, they must be initialized.
        stage: The stage.
        size: Height and width of images.

    Returns:
        Multiply-accumulates of each part, and what an item is.
    """
    set_trainable(model, stage.trainable)
    model.enter_stage(stage.name)
    model.train()
    # The prompts of some methods are computed in the first step only
    steps = 2 if hasattr(model, 'identity_prompts') else 1
    with WITHOUT_DATA, AllNonZero(), torch.no_grad():
        batch, items, item = make_batch(model, stage, size)
        for _ in range(steps):
            macs = count_macs(model, lambda: model(batch, mode='loss'))
    return {part: number / items for part, number in macs.items()}, item


def macs_at_test(model: nn.Module, size: Sequence[int]) -> dict[str, float]:
    """Count one image and, where the model has a text tower, one caption."""
    captions = torch.empty(0, 0, dtype=torch.int64)
    if hasattr(model, 'text_encoder'):
        captions = torch.zeros(1, model.text_encoder.context_length, dtype=torch.int64)
    first = torch.zeros(1, dtype=torch.int64)
    inputs = dict(
        images=torch.zeros(1, 3, *size),
        image_rows=first,
        camids=first,
        captions=captions,
        caption_rows=first[: len(captions)] + 1,
    )
    samples = [ReIDDataSample() for _ in range(2)]
    with torch.no_grad():
        return count_macs(model.eval(), lambda: model(inputs, samples, mode='predict'))


def initialize_prototypes(model: nn.Module) -> None:
    """Initialize the prototypes of a model that has some."""
    if getattr(model, 'has_prototypes', False):
        shape = model.prototypes.prototypes_image.shape
        features = torch.zeros(shape), torch.arange(shape[0])
        model.receive_features(dict.fromkeys(model.prototypes.reads.values(), features))


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    init_default_scope('hplreid')
    if args.num_ids is None:
        fill_num_ids(config)
    else:
        config.model.num_ids = args.num_ids
    forget_pretrained(config.model)
    plain = config.model.to_dict()
    training = MODELS.build(plain)
    inference = MODELS.build({**plain, 'num_ids': None})
    kept = dict(inference.named_children())

    columns: dict[str, dict[str, float]] = {}
    if args.macs:
        size = config.model.image_encoder.img_size
        initialize_prototypes(training)
        stages = parse_stages(
            config.train_cfg.stages.to_dict(),
            config.optim_wrapper.to_dict(),
            config.train_dataloader.to_dict(),
        )
        for stage in stages:
            macs, item = macs_in_training(training, stage, size)
            columns[f"GMAC, '{stage.name}', a {item}"] = macs
        columns['GMAC, test'] = macs_at_test(inference, size)
    table = PrettyTable(['part', 'training', 'test', *columns])
    table.align = 'r'
    table.align['part'] = 'l'
    rows = []
    for name, part in training.named_children():
        if count(part) or any(name in macs for macs in columns.values()):
            sizes = count(part), count(kept[name]) if name in kept else 0
            rows.append(
                [name, *(f'{n:,}' for n in sizes), *_gmacs(columns.values(), name)]
            )
    for row in rows:
        table.add_row(row, divider=row is rows[-1])
    sizes = count(training), count(inference)
    table.add_row(['all', *(f'{n:,}' for n in sizes), *_gmacs(columns.values(), 'all')])
    print(f'{args.config}, {config.model.num_ids} identities')
    print(table)


def _gmacs(columns: Sequence[dict[str, float]], part: str) -> list[str]:
    """Return the cells of a part, in billions of multiply-accumulates."""
    return [f'{macs.get(part, 0) / 1e9:.3f}' for macs in columns]


if __name__ == '__main__':
    run_tool(main, ARGS)
