"""Write the towers of a checkpoint as CLIP weights, in fp16 as safetensors.

    python tools/model_converters/publish_clip.py CHECKPOINT OUT.safetensors

They are for towers to begin a training with: ``pretrained='OUT.safetensors'`` here, or
a state dict in open_clip, which reads all but what CLIP hasn't (HPL's second class
token, ``i2i_*``; embeddings of cameras). Weights are rounded to fp16. To test a
trained model or search with it use ``publish_model.py``, which keeps all and
rounds nothing.

A model that needs more than its towers at test (necks, PromptSG's prompts) is refused
unless ``--towers-only`` says that this is meant.
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
        '--towers-only',
        action='store_true',
        help='leave out what the model needs at test besides its towers',
    )
    parser.add_argument(
        '--note', default='', help='a note on how it was made, stored in the file'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.out.suffix != '.safetensors':
        parser.error(f"OUT='{args.out}': expected a name that ends in .safetensors")
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from safetensors.torch import save_file

from hplreid.apis.publishing import list_test_weights
from hplreid.models.backbones import read_state_dict
from hplreid.utils.atomic_files import atomic_path
from hplreid.utils.checkpoints.checkpoint import read_checkpoint
from hplreid.utils.checkpoints.fit import count_parts, state_of
from hplreid.utils.checkpoints.names import strip_wrappers
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import UserError

TOWERS = ('image_encoder.', 'text_encoder.')


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    state, _ = read_state_dict(args.checkpoint)
    content = read_checkpoint(args.checkpoint)
    names = [strip_wrappers(name) for name in state_of(content)]
    outside = [n for n in names if not n.startswith((*TOWERS, 'logit_scale'))]
    needed = [n for n in list_test_weights(content) or () if n in {*outside}]
    if needed and not args.towers_only:
        raise UserError(
            f"'{args.checkpoint}': at test the model needs more than its towers: "
            f'{count_parts(needed)}. Towers alone would have other scores. Use '
            'tools/model_converters/publish_model.py, which keeps all, or '
            '--towers-only for weights to begin another training with.'
        )
    # Of a bare CLIP all names are its towers'
    dropped = {*outside} if any(n.startswith(TOWERS) for n in names) else set()
    kept = {name: v for name, v in state.items() if name not in dropped}
    towers = {name: v.to(torch.float16).contiguous() for name, v in kept.items()}
    with atomic_path(args.out) as temporary:
        save_file(towers, temporary, metadata={'note': args.note})
    size = args.out.stat().st_size / 1e6
    print(
        f'{args.out}: {len(towers)} tensors, {size:.2f} MB, rounded to fp16; left out: '
        f'{count_parts([n for n in names if n in dropped]) or "nothing"}'
    )
    own = [k for k in towers if k.startswith(('i2i_', 'camera_embedding'))]
    if own:
        print(f'  CLIP has no {", ".join(own)}: open_clip leaves them out')
    if not any(k.startswith('token_embedding') for k in towers):
        print('  there is no text tower in it: the model has none of its own')


if __name__ == '__main__':
    run_tool(main, ARGS)
