"""A batch of four captioned images and six without captions."""

import pytest
import torch

from hplreid.structures import FeatureBundle

NUM_IDS, CHANNELS = 7, 8
LABELS = torch.tensor([0, 4, 1, 1, 2, 0, 2, 2, 6, 6])
CAPTION_ROWS = torch.tensor([0, 2, 5, 9])
IMAGE_ONLY_ROWS = torch.tensor([1, 3, 4, 6, 7, 8])


def _make_bundle(dtype=torch.float64):
    """Everything HPL offers, with its rows in mixed order."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        x = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return x.to(dtype).requires_grad_()

    bundle = FeatureBundle(LABELS, CAPTION_ROWS, IMAGE_ONLY_ROWS)
    for name in ('v', 'u', 'prompt_image'):
        bundle.put(name, random(len(LABELS), CHANNELS))
    bundle.put('pseudo_image', random(len(LABELS), 2, CHANNELS))
    for name in ('t', 'prompt_text'):
        bundle.put(name, random(len(CAPTION_ROWS), CHANNELS), 'captioned')
    bundle.put('pseudo_text', random(len(CAPTION_ROWS), 2, CHANNELS), 'captioned')
    table = random(NUM_IDS, CHANNELS)
    bundle.put('prompt_identity', table[LABELS])
    bundle.put_table('identity_prompts', table)
    bundle.put_table('logit_scale', torch.tensor(14.3, dtype=dtype))
    costs = torch.tensor([[9.0, 3], [0, 0], [2, 1], [7, 2]])  # of guesses, and how many
    costs = costs.to(dtype).requires_grad_()
    bundle.put('masked_language', costs, 'captioned')
    for modality in ('image', 'text'):
        bundle.put_table(f'prototypes_{modality}', random(NUM_IDS, CHANNELS))
    return bundle


@pytest.fixture
def make_bundle():
    return _make_bundle


@pytest.fixture
def bundle():
    return _make_bundle()
