"""Cost of PromptSG at test: tower alone, constant and composed prompt, in one run.

    python tools/analysis_tools/benchmark_promptsg_inference.py

Random weights, pictures of noise: neither changes the time. Rounds alternate, so that a
slow moment of the machine hits all three; a ratio is the median over rounds of the time
of the tower alone divided by the time of the other in the same round. The paper's are
0.88 (constant) and 0.48 (composed), pictures a second relative to no interaction.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import Tensor, nn

from hplreid.registry import MODELS


def build(arch: str, img_size: tuple[int, int], num_blocks: int) -> nn.Module:
    """Build the model that inference with composed prompts needs."""
    return MODELS.build(
        dict(
            type='PromptSG',
            image_encoder=dict(type='CLIPImageEncoder', arch=arch, img_size=img_size),
            prompt_encoder=dict(type='CLIPPromptEncoder'),
            inversion=dict(type='MLPInversion'),
            prompt_learner=dict(type='InstancePromptLearner'),
            necks=dict(
                interaction=dict(
                    type='InteractionNeck',
                    reads=('prompt', 'image_tokens'),
                    num_blocks=num_blocks,
                )
            ),
            i2i_feature='interaction',
        )
    ).eval()


def contestants(model: nn.Module) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return what is timed, by name: from pictures to the feature that is compared."""

    def interact(images: Tensor, inference: str) -> Tensor:
        model.inference = inference
        (feature,) = model.picture_features({'images': images}, model.i2i_feature)
        return feature

    return {
        'tower alone': lambda images: model.image_encoder(images)['v'],
        'constant prompt': lambda images: interact(images, 'constant'),
        'composed prompt': lambda images: interact(images, 'composed'),
    }


def seconds(encode: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Return the time that one batch takes."""
    synchronise()
    start = time.perf_counter()
    encode(images)
    synchronise()
    return time.perf_counter() - start


def synchronise() -> None:
    """Wait for the device, if there is one to wait for."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--arch', default='ViT-B-16-quickgelu')
    parser.add_argument('--img-size', type=int, nargs=2, default=(256, 128))
    parser.add_argument('--num-blocks', type=int, default=2)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--precision', choices=['fp32', 'bf16'], default='fp32')
    args = parser.parse_args()
    init_default_scope('hplreid')
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    model = build(args.arch, tuple(args.img_size), args.num_blocks).to(device)
    images = torch.randn(args.batch, 3, *args.img_size, device=device)
    timed = contestants(model)
    bf16 = torch.autocast(device, torch.bfloat16, enabled=args.precision == 'bf16')
    with torch.inference_mode(), bf16:
        rounds = [
            {name: seconds(encode, images) for name, encode in timed.items()}
            for _ in range(args.rounds + 2)
        ][2:]  # two to warm up

    table = PrettyTable(['', 's a batch', 'pictures a second', 'relative'])
    table.align[''] = 'l'
    for name in timed:
        median = statistics.median(r[name] for r in rounds)
        ratio = statistics.median(r['tower alone'] / r[name] for r in rounds)
        row = [f'{median:.4f}', f'{args.batch / median:.1f}', f'{ratio:.3f}']
        table.add_row([name, *row])
    height, width = args.img_size
    print(
        f'{args.arch}, {height}x{width}, {args.num_blocks} blocks, '
        f'batch {args.batch}, {device}, {args.precision}, '
        f'{torch.get_num_threads()} thread(s), median of {args.rounds} rounds'
    )
    print(table)


if __name__ == '__main__':
    main()
