"""Time a step of Propot with prototypes of all identities, or of those in the batch.

    python tools/analysis_tools/benchmark_propot_step.py

Weights and batch are the same and random, and the differences of losses and gradients
are printed. A step is forward and backward pass of the head, and Adam's update of its
parameters. Rounds alternate, so that a slow moment of the machine affects both. Memory
is that of tensors which the forward pass saves for the backward pass.

With ``--tower-pairs 4`` a step of both towers (without their update) on 4 pairs is
timed as well and scaled to the batch, for comparison.
"""

import argparse
import statistics
from typing import Any

CONFIG = 'configs/propot/propot_vitb16_cuhk-pedes.py'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', default=CONFIG)
    parser.add_argument('--num-ids', type=int, default=11003)
    parser.add_argument('--pairs', type=int, default=64)
    parser.add_argument('--channels', type=int, default=512)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--tower-pairs', type=int, default=0, help='0: no towers')
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
from torch import Tensor, nn

from hplreid.engine.config import read_config
from hplreid.models.heads.prototype_contrast_head import SUBSETS
from hplreid.registry import BACKBONES, HEADS
from hplreid.structures import FeatureBundle
from hplreid.utils.measuring import time_call
from hplreid.utils.run_tool import run_tool


class SavedForBackward(torch.autograd.graph.saved_tensors_hooks):
    """Counts the bytes that a forward pass saves for the backward pass.

    Args:
        module: The module, whose parameters don't count.
    """

    def __init__(self, module: nn.Module) -> None:
        self.sizes: dict[int, int] = {}
        self._own = {p.untyped_storage().data_ptr() for p in module.parameters()}
        super().__init__(self._count, lambda tensor: tensor)

    def _count(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            self.sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def mebibytes(self) -> float:
        """The memory saved so far; each storage counts once."""
        return sum(self.sizes.values()) / 2**20


class Implementation:
    """The head with one choice of identities, its optimizer and a batch."""

    def __init__(self, config: dict, subset: str, bundle: FeatureBundle) -> None:
        torch.manual_seed(1)
        self.head = HEADS.build({**config, 'subset': subset}).to(bundle.labels.device)
        self.bundle = bundle
        self.optimizer = torch.optim.Adam(self.head.parameters(), lr=1e-4)

    def results(self) -> tuple[float, list[Tensor], float]:
        """Return loss, gradients and saved MiB of a step without its update."""
        self.optimizer.zero_grad()
        saved = SavedForBackward(self.head)
        with saved:
            loss = self._loss()
        loss.backward()
        gradients = [p.grad.clone() for p in self.head.parameters()]
        return loss.item(), gradients, saved.mebibytes

    def step(self) -> float:
        """Train one step and return its seconds."""
        return time_call(self._step)[0]

    def _step(self) -> None:
        self.optimizer.zero_grad()
        self._loss().backward()
        self.optimizer.step()

    def _loss(self) -> Tensor:
        return sum(self.head.loss(self.bundle).values(), torch.zeros(()))


def make_bundle(pairs: int, num_ids: int, channels: int, device: str) -> FeatureBundle:
    """Return a bundle of random features and tables."""
    rows = torch.arange(pairs, device=device)
    labels = torch.randint(num_ids, (pairs,)).to(device)
    bundle = FeatureBundle(labels, rows, rows[:0])
    for name in ('v', 't'):
        feature = torch.randn(pairs, channels).to(device)
        bundle.put(name, feature.requires_grad_(), 'captioned')
        modality = 'image' if name == 'v' else 'text'
        table = torch.randn(num_ids, channels).to(device)
        bundle.put_table(f'prototypes_{modality}', table)
    return bundle


def time_towers(model: dict[str, Any], pairs: int, rounds: int, device: str) -> float:
    """Return the median seconds of both towers' forward and backward pass."""
    image_encoder = {**model['image_encoder'], 'pretrained': None}
    image = BACKBONES.build(image_encoder).to(device)
    text = BACKBONES.build({**model['text_encoder'], 'arch': image_encoder['arch']})
    text = text.to(device)
    images = torch.randn(pairs, 3, *image_encoder['img_size'], device=device)
    captions = torch.randint(1, 400, (pairs, text.context_length), device=device)

    def step() -> None:
        (image(images)['v'].sum() + text(captions)['t'].sum()).backward()

    seconds = [time_call(step)[0] for _ in range(rounds + 1)]
    return statistics.median(seconds[1:])


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    init_default_scope('hplreid')
    model = config.model.to_dict()
    (head,) = (
        h for h in model['heads']['align'] if h['type'] == 'PrototypeContrastHead'
    )
    head.update(num_ids=args.num_ids, in_channels=args.channels)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    bundle = make_bundle(args.pairs, args.num_ids, args.channels, device)

    implementations = {
        subset: Implementation(head, subset, bundle) for subset in SUBSETS
    }
    results = {subset: c.results() for subset, c in implementations.items()}
    (loss, gradients, _), (other, others, _) = (results[subset] for subset in SUBSETS)
    scale = max(g.abs().max() for g in gradients)
    differ = max((a - b).abs().max() for a, b in zip(gradients, others, strict=True))
    # No further rounds to warm up are needed
    times = [[c.step() for c in implementations.values()] for _ in range(args.rounds)]
    medians = [statistics.median(t) for t in zip(*times, strict=True)]

    table = PrettyTable(['prototypes of', 'a step, s', 'ratio', 'saved, MiB'])
    table.align = 'r'
    for subset, seconds in zip(SUBSETS, medians, strict=True):
        saved = results[subset][2]
        ratio = seconds / medians[0]
        table.add_row([subset, f'{seconds:.3f}', f'{ratio:.1f}', f'{saved:,.1f}'])
    if args.tower_pairs:
        towers = time_towers(model, args.tower_pairs, args.rounds, device)
        towers *= args.pairs / args.tower_pairs
        table.add_row(['(towers)', f'{towers:.3f}', f'{towers / medians[0]:.1f}', ''])
    print(
        f'{args.config}: {args.num_ids:,} identities, {args.pairs} pairs, {device}, '
        f'fp32, median of {args.rounds} rounds'
    )
    print(table)
    print(
        f'losses differ by {abs(loss - other) / abs(loss):.1e}, gradients by '
        f'{differ / scale:.1e} of the largest'
    )


if __name__ == '__main__':
    run_tool(main, ARGS)
