"""Write the two towers of a checkpoint as CLIP weights, in fp16 as safetensors.

    python tools/model_converters/publish_clip.py CHECKPOINT OUT.safetensors

Weights have open_clip's names: the file can be loaded here as
``pretrained='OUT.safetensors'``, and in open_clip as a state dict. What only training
needs (optimizer, heads, prompts) is left out.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument(
        '--note', default='', help='a note on how it was made, stored in the file'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from hplreid.models.backbones import read_state_dict
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.checkpoints.checkpoint import MissingCheckpointError
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors

TRAINING_ONLY = ('heads.', 'prompt_', 'image_inversion.', 'text_inversion.')


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    if not args.checkpoint.is_file():
        raise MissingCheckpointError(f"Checkpoint '{args.checkpoint}' does not exist.")
    with as_user_errors(OSError, SafetensorError, where=str(args.checkpoint)):
        state, _ = read_state_dict(args.checkpoint)
    towers = {
        k: v.to(torch.float16).contiguous()
        for k, v in state.items()
        if not k.startswith(TRAINING_ONLY)
    }
    with atomic_path(args.out) as temporary:
        save_file(towers, temporary, metadata={'note': args.note})
    size = args.out.stat().st_size / 1e6
    print(f'{args.out}: {len(towers)} tensors, {size:.2f} MB')


if __name__ == '__main__':
    run_tool(main, ARGS)
