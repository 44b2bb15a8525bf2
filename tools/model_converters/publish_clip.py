"""Write the two towers of a checkpoint as CLIP weights: safetensors, half precision.

    python tools/model_converters/publish_clip.py CHECKPOINT OUT.safetensors

The names are open_clip's, so the file loads here as ``pretrained='OUT.safetensors'``
and there as a state dict. What only training needs (optimizer, heads, prompts) stays
behind.
"""

import argparse
import os
from pathlib import Path

import torch
from safetensors.torch import save_file

from hplreid.models.backbones import read_state_dict

TRAINING_ONLY = ('heads.', 'prompt_', 'image_inversion.', 'text_inversion.')


def main() -> None:
    """Convert what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--note', default='', help='kept in the file: how it was made')
    args = parser.parse_args()
    state, _ = read_state_dict(args.checkpoint)
    towers = {
        k: v.to(torch.float16).contiguous()
        for k, v in state.items()
        if not k.startswith(TRAINING_ONLY)
    }
    temporary = args.out.with_name(f'.{args.out.name}.{os.getpid()}')
    save_file(towers, temporary, metadata={'note': args.note})
    os.replace(temporary, args.out)
    size = args.out.stat().st_size / 1e6
    print(f'{args.out}: {len(towers)} tensors, {size:.2f} MB')


if __name__ == '__main__':
    main()
