r"""Print the parameters of a config's model, part by part, in training and at test.

    python tools/analysis_tools/count_parameters.py configs/hpl/hpl_vitb16_joint.py \
        --num-ids 11754 --macs

With ``--macs`` also what is computed for one item, in multiply-accumulates: the forward
pass of a training step in each stage, divided by the items of its batch, and an image
and a caption at test. The products inside attention are counted, captions are as long
as the text tower allows, and all their words are masked. What doesn't depend on the
batch (prompts of all identities, say) is counted if it is made anew in each step.

No data and no weights are needed: the model is built with random ones. Where
``--num-ids`` is not given, it is read from the training data.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from hplreid.engine.config.read import read_config
from hplreid.engine.config.resolve import fill_num_ids, forget_pretrained
from hplreid.engine.loops.stage import Stage, parse_stages, set_trainable
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample

# Inside it tensors have shapes and no data: a step of a large batch costs nothing
WITHOUT_DATA = FakeTensorMode(allow_non_fake_inputs=True)


def count(module: nn.Module) -> int:
    """Return the number of a module's parameters."""
    return sum(p.numel() for p in module.parameters())


class AllNonZero(TorchDispatchMode):
    """Says of each element of a tensor without data that it isn't zero."""

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        """Answer ``nonzero`` and pass on everything else."""
        if function is torch.ops.aten.nonzero.default:
            return args[0].new_empty((args[0].numel(), args[0].dim()), dtype=torch.long)
        return function(*args, **(kwargs or {}))


def count_macs(model: nn.Module, run: Callable[[], Any]) -> dict[str, float]:
    """Count the multiply-accumulates of a function that runs the model once.

    Args:
        model: What ``run`` calls.
        run: Runs it.

    Returns:
        Multiply-accumulates of each part that did any, and of ``'all'``.
    """
    counter = FlopCounterMode(display=False)
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its one operator isn't counted
    try:
        # Nor are, on every device, the kernels that attention has of its own
        with sdpa_kernel(SDPBackend.MATH), counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
    # A multiplication and an addition are two operations
    done = {
        name: sum(operations.values()) / 2
        for name, operations in counter.get_flop_counts().items()
    }
    root, total = type(model).__name__, counter.get_total_flops() / 2
    parts = {
        # Lists of modules have no forward pass, their members have
        name: done.get(f'{root}.{name}', 0)
        or sum(done.get(f'{root}.{name}.{child}', 0) for child, _ in m.named_children())
        for name, m in model.named_children()
        if name != 'heads'
    }
    parts['heads'] = total - sum(parts.values())
    return {**{k: v for k, v in parts.items() if v}, 'all': total}


def make_batch(
    model: nn.Module, stage: Stage, size: Sequence[int]
) -> tuple[dict[str, Any], int, str]:
    """Return a batch of a stage, its number of items and what one is."""
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
    if stage.cache_features:  # then no image is loaded
        widths = model.widths()
        batch['images'] = batch['images'][:0]
        batch['features'] = {
            name: torch.zeros(total, widths[name]) for name in stage.cache_features
        }
    return batch, items, item


def macs_in_training(
    model: nn.Module, stage: Stage, size: Sequence[int]
) -> tuple[dict[str, float], str]:
    """Count a step's forward pass for one item, and say what that is.

    Args:
        model: A method, with its prototypes given, if it has some.
        stage: The stage.
        size: Height and width of images.
    """
    set_trainable(model, stage.trainable)
    model.enter_stage(stage.name)
    model.train()
    steps = (
        2 if hasattr(model, 'identity_prompts') else 1
    )  # made in the first, or in all
    with WITHOUT_DATA, AllNonZero(), torch.no_grad():
        batch, items, item = make_batch(model, stage, size)
        for _ in range(steps):
            found = count_macs(model, lambda: model(batch, mode='loss'))
    return {part: macs / items for part, macs in found.items()}, item


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


def give_prototypes(model: nn.Module) -> None:
    """Give a model that needs them initial prototypes."""
    if getattr(model, 'has_prototypes', False):
        shape = model.prototypes.prototypes_image.shape
        given = torch.zeros(shape), torch.arange(shape[0])
        model.receive_features(dict.fromkeys(model.prototypes.reads.values(), given))


def main() -> None:
    """Print the table of what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--num-ids', type=int, help='training identities')
    parser.add_argument(
        '--macs', action='store_true', help='count multiply-accumulates, too'
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    args = parser.parse_args()
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
        give_prototypes(training)
        stages = parse_stages(
            config.train_cfg.stages.to_dict(),
            config.optim_wrapper.to_dict(),
            config.train_dataloader.to_dict(),
        )
        for stage in stages:
            found, item = macs_in_training(training, stage, size)
            columns[f"GMAC, '{stage.name}', a {item}"] = found
        columns['GMAC, test'] = macs_at_test(inference, size)
    table = PrettyTable(['part', 'training', 'test', *columns])
    table.align = 'r'
    table.align['part'] = 'l'
    for name, part in training.named_children():
        if count(part) or any(name in found for found in columns.values()):
            sizes = count(part), count(kept[name]) if name in kept else 0
            table.add_row(
                [name, *(f'{n:,}' for n in sizes), *_gmacs(columns.values(), name)]
            )
    table.add_divider()
    sizes = count(training), count(inference)
    table.add_row(['all', *(f'{n:,}' for n in sizes), *_gmacs(columns.values(), 'all')])
    print(f'{args.config}, {config.model.num_ids} identities')
    print(table)


def _gmacs(columns: Sequence[dict[str, float]], part: str) -> list[str]:
    return [f'{found.get(part, 0) / 1e9:.3f}' for found in columns]


if __name__ == '__main__':
    main()
