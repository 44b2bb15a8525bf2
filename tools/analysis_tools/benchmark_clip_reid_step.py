"""Time a step of CLIP-ReID's first stage, in a plain and in our implementation.

    python tools/analysis_tools/benchmark_clip_reid_step.py
    python tools/analysis_tools/benchmark_clip_reid_step.py --arch ViT-Ti-16-synthpeds \
        --img-size 128 64

The plain implementation runs the frozen image tower on the images of each step, and the
text tower on a prompt of 77 tokens for every image. Ours uses features that were
computed once, cuts prompts at their last token and encodes each identity of the batch
once. A third one has our features and plain prompts, to show the part of the text tower
alone.

Random weights, batch and optimizer are the same: prompts, features and losses must
agree to 1e-5 of their size, or the program ends with an error. Rounds alternate, so
that a slow moment of the machine affects all. The batch is random: loading is not
measured.
"""

import argparse
import statistics


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--arch', default='ViT-B-16-quickgelu')
    parser.add_argument('--img-size', type=int, nargs=2, default=(256, 128))
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--num-ids', type=int, default=751, help="Market-1501's")
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument(
        '--precision', choices=['auto', 'fp32', 'bf16', 'fp16'], default='fp32'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import Tensor

from hplreid.engine.precision import choose_precision
from hplreid.models.reid import CLIPReID
from hplreid.registry import MODELS, OPTIM_WRAPPERS
from hplreid.utils.measuring import time_call
from hplreid.utils.run_tool import run_tool

TOLERANCE = 1e-5


def build_model(arch: str, size: tuple[int, int], num_ids: int, pad: bool) -> CLIPReID:
    """Build CLIP-ReID with random weights from a fixed seed."""
    torch.manual_seed(0)
    tower = 'CLIPResNetEncoder' if arch.startswith('RN') else 'CLIPImageEncoder'
    model = MODELS.build(
        dict(
            type='CLIPReID',
            image_encoder=dict(type=tower, arch=arch, img_size=size),
            prompt_encoder=dict(type='CLIPPromptEncoder'),
            prompt_learner=dict(type='IdentityPromptLearner', pad=pad),
            heads=dict(prompt=[dict(type='PromptContrastHead', similarity='dot')]),
            num_ids=num_ids,
        )
    )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith('prompt_learner'))
    model.enter_stage('prompt')
    return model.eval()  # for frozen towers the mode makes no difference


def make_batch(
    batch_size: int, num_ids: int, size: tuple[int, int]
) -> dict[str, Tensor]:
    """Return random images with random labels, as the sampler draws them."""
    labels = torch.randint(0, num_ids, (batch_size,))
    no_rows = torch.empty(0, dtype=torch.int64)
    return dict(
        images=torch.randn(batch_size, 3, *size),
        image_rows=torch.arange(batch_size),
        camids=torch.zeros(batch_size, dtype=torch.int64),
        captions=torch.empty(0, 0, dtype=torch.int64),
        caption_rows=no_rows,
        image_only_rows=torch.arange(batch_size),
        labels=labels,
        # A prompt for every image
        unique_labels=labels,
        unique_index=torch.arange(batch_size),
    )


def share_prompts(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the batch with one prompt for each of its identities."""
    unique, index = batch['labels'].unique(return_inverse=True)
    return {**batch, 'unique_labels': unique, 'unique_index': index}


class Implementation:
    """A model with its optimizer and a batch, whose step is timed."""

    def __init__(self, model: CLIPReID, batch: dict, precision: str) -> None:
        self.model, self.batch = model, batch
        optimizer = torch.optim.Adam(model.prompt_learner.parameters(), lr=3.5e-4)
        self.wrapper = OPTIM_WRAPPERS.build(
            dict(type='AutocastOptimWrapper', precision=precision, optimizer=optimizer)
        )

    @torch.no_grad()
    def results(self) -> dict[str, Tensor]:
        """Return features, prompts and losses in fp32, without a training step."""
        bundle = self.model.extract(self.batch, {'v', 'prompt_identity'})
        features = {n: bundle.select(n)[0] for n in ('v', 'prompt_identity')}
        return {**features, **self.model.loss(self.batch)}

    def step(self) -> float:
        """Train one step and return its seconds."""
        return time_call(self._step)[0]

    def _step(self) -> None:
        with self.wrapper.optim_context(self.model):
            total = sum(self.model.loss(self.batch).values())
        self.wrapper.update_params(total)


def check_equal(implementations: dict[str, Implementation]) -> float:
    """Return the largest difference of the results, relative to their size.

    Raises:
        AssertionError: It is above 1e-5.
    """
    plain, *others = (c.results() for c in implementations.values())
    worst = 0.0
    for other in others:
        for name, value in plain.items():
            scale = float(value.abs().max())
            worst = max(worst, float((other[name] - value).abs().max()) / scale)
    if worst > TOLERANCE:
        raise AssertionError(
            f'The results differ by {worst:.1e}, more than {TOLERANCE}: they are not '
            'of the same computation, so that times cannot be compared.'
        )
    return worst


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    init_default_scope('hplreid')
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    size = (args.img_size[0], args.img_size[1])

    padded = build_model(args.arch, size, args.num_ids, pad=True).to(device)
    cut = build_model(args.arch, size, args.num_ids, pad=False).to(device)
    batch = make_batch(args.batch, args.num_ids, size)
    batch = {k: v.to(device) for k, v in batch.items()}
    with torch.no_grad():
        features = {'v': cut.image_encoder(batch['images'])['v']}
    cached = {**batch, 'images': batch['images'][:0], 'features': features}
    implementations = {
        'plain': Implementation(padded, batch, args.precision),
        'cached features, plain prompts': Implementation(
            padded, cached, args.precision
        ),
        'ours': Implementation(cut, share_prompts(cached), args.precision),
    }
    differ = check_equal(implementations)
    rounds = [
        [c.step() for c in implementations.values()] for _ in range(args.rounds + 1)
    ]
    times = [statistics.median(t) for t in zip(*rounds[1:], strict=True)]

    table = PrettyTable(['step', 'seconds', 'times ours'])
    table.align['step'] = 'l'
    for name, seconds in zip(implementations, times, strict=True):
        table.add_row([name, f'{seconds:.4f}', f'{seconds / times[-1]:.1f}'])
    identities = len(batch['labels'].unique())
    precision = choose_precision(args.precision, device)
    print(
        f'{args.arch}, {size[0]} x {size[1]}, {args.batch} images of {identities} '
        f'identities, prompts of {cut.prompt_learner.identity_template.length} tokens, '
        f'{precision}, {torch.get_num_threads()} threads, '
        f'median of {args.rounds} rounds; results differ by {differ:.1e}'
    )
    print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
