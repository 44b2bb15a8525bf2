"""Time a stage-I and a stage-II step of HPL, in a plain and in our implementation.

    python tools/analysis_tools/benchmark_hpl_step.py configs/hpl/hpl_tiny_synthpeds.py

The plain implementation pads captions and prompts to 77 tokens and encodes the identity
prompt of every image. Ours cuts both at the last EOT and encodes each identity of the
batch once. Weights, batch and optimizer are the same, and the difference of the losses
is printed. Rounds alternate, so that a slow moment of the machine affects both. The
batch is random: loading is not measured.
"""

import argparse
import statistics


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--num-ids', type=int, default=400)
    parser.add_argument(
        '--caption-tokens', type=int, default=40, help='length of the longest caption'
    )
    parser.add_argument('--pairs', type=int, default=64)
    parser.add_argument(
        '--ids',
        type=int,
        default=16,
        help='identities of the image-only half (P of P x K)',
    )
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--precision', choices=['auto', 'fp32', 'bf16', 'fp16'])
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
from hplreid.engine.loops import parse_stages, set_trainable
from hplreid.engine.precision import choose_precision
from hplreid.models.prompt_learners import clip_tokenizer
from hplreid.registry import MODELS, OPTIM_WRAPPERS
from hplreid.utils.measuring import time_call
from hplreid.utils.run_tool import run_tool

CONTEXT = 77


def make_batch(
    num_pairs: int, num_ids: int, num_instances: int, size: tuple[int, int], length: int
) -> dict[str, Tensor]:
    """Return a random joint batch, with captions of up to ``length`` tokens."""
    tokenizer = clip_tokenizer()
    total = num_pairs + num_ids * num_instances
    captions = torch.zeros(num_pairs, CONTEXT, dtype=torch.int64)
    for row in range(num_pairs):
        words = length // 2 + row % (length - length // 2 - 1)
        captions[row, 0] = tokenizer.sot_token_id
        captions[row, 1 : words + 1] = torch.randint(300, 40000, (words,))
        captions[row, words + 1] = tokenizer.eot_token_id
    labels = torch.cat(
        [
            torch.randint(0, 2 * num_ids, (num_pairs,)),
            torch.arange(num_ids).repeat_interleave(num_instances),
        ]
    )
    return dict(
        images=torch.randn(total, 3, *size),
        image_rows=torch.arange(total),
        captions=captions,
        caption_rows=torch.arange(num_pairs),
        image_only_rows=torch.arange(num_pairs, total),
        labels=labels,
    )


def pad_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the batch with captions of full length and a prompt for every image."""
    labels = batch['labels']
    return {
        **batch,
        'unique_labels': labels,
        'unique_index': torch.arange(len(labels), device=labels.device),
    }


def cut_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the batch as our data preprocessor makes it."""
    unique, index = batch['labels'].unique(return_inverse=True)
    longest = int(batch['captions'].argmax(dim=1).max()) + 1
    return {
        **batch,
        'captions': batch['captions'][:, :longest],
        'unique_labels': unique,
        'unique_index': index,
    }


class Implementation:
    """A model in a stage, with its optimizer and a batch, whose step is timed."""

    def __init__(self, model: nn.Module, stage: object, batch: dict) -> None:
        set_trainable(model, stage.trainable)
        model.enter_stage(stage.name)
        model.train()
        self.model, self.batch = model, batch
        config = dict(stage.optim_wrapper['optimizer'])
        optimizer = getattr(torch.optim, config.pop('type'))
        wrapper = dict(
            type=stage.optim_wrapper['type'],
            precision=stage.optim_wrapper['precision'],
            optimizer=optimizer(
                (p for p in model.parameters() if p.requires_grad), **config
            ),
        )
        self.wrapper = OPTIM_WRAPPERS.build(wrapper)

    def losses(self) -> dict[str, float]:
        """Return the losses of the batch, without a training step."""
        with torch.no_grad():
            return {k: float(v) for k, v in self.model.loss(self.batch).items()}

    def step(self) -> float:
        """Train one step and return its seconds."""
        return time_call(self._step)[0]

    def _step(self) -> None:
        with self.wrapper.optim_context(self.model):
            total = sum(self.model.loss(self.batch).values())
        self.wrapper.update_params(total)


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    init_default_scope('hplreid')
    shared = dict(config.optim_wrapper)
    if args.precision:
        shared['precision'] = args.precision
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    precision = choose_precision(shared['precision'], device)
    stages = parse_stages(
        config.train_cfg.stages, shared, config.train_dataloader.to_dict()
    )
    size = tuple(config.model.image_encoder.img_size)
    torch.manual_seed(0)
    batch = make_batch(args.pairs, args.ids, 4, size, args.caption_tokens)
    batch = {k: v.to(device) for k, v in batch.items()}

    table = PrettyTable(['stage', 'plain, s', 'ours, s', 'ratio', 'losses differ by'])
    for stage in stages:
        pair = []
        for pad, prepare in ((True, pad_batch), (False, cut_batch)):
            torch.manual_seed(1)
            settings = config.model.to_dict()
            settings['image_encoder']['pretrained'] = None
            settings['num_ids'] = args.num_ids
            settings['prompt_learner']['pad'] = pad
            model = MODELS.build(settings).to(device)
            pair.append(Implementation(model, stage, prepare(batch)))
        a, b = (c.losses() for c in pair)
        differ = max(abs(a[k] - b[k]) / max(abs(a[k]), 1e-6) for k in a)
        times = [[c.step() for c in pair] for _ in range(args.rounds + 2)][2:]
        slow, fast = (statistics.median(t) for t in zip(*times, strict=True))
        table.add_row(
            [
                stage.name,
                f'{slow:.3f}',
                f'{fast:.3f}',
                f'{slow / fast:.2f}',
                f'{differ:.1e}',
            ]
        )
    print(
        f'{args.config}: {args.pairs} pairs + {args.ids} x 4 images, captions of up to '
        f'{args.caption_tokens} tokens, {precision}, median of {args.rounds} rounds'
    )
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
