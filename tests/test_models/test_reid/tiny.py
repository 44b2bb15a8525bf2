"""A HPL of a few thousand parameters' width, and a batch for it."""

import open_clip
import torch
from mmengine.registry import DefaultScope

from hplreid.registry import MODELS

ARCH = 'test-nano'
RESNET_ARCH = 'test-nano-resnet'
NUM_IDS = 6


def add_nano_arch(folder):
    """Register architectures small enough for float64 tests."""
    (folder / f'{ARCH}.json').write_text(
        '{"embed_dim": 16, "quick_gelu": true, "vision_cfg": {"image_size": [32, 16],'
        ' "layers": 2, "width": 24, "head_width": 12, "patch_size": 8}, "text_cfg":'
        ' {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2,'
        ' "layers": 2}}'
    )
    (folder / f'{RESNET_ARCH}.json').write_text(
        '{"embed_dim": 16, "quick_gelu": true, "vision_cfg": {"image_size": 64,'
        ' "layers": [1, 1, 1, 1], "width": 8, "patch_size": null}, "text_cfg":'
        ' {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2,'
        ' "layers": 2}}'
    )
    open_clip.add_model_config(folder)


def construct_heads():
    """Heads of stage I."""
    return [
        dict(type='PromptContrastHead', tau=0.1),
        dict(type='InversionConsistencyHead'),
    ]


def align_heads():
    """Heads of stage II."""
    return [
        dict(type='SDMHead', tau=0.1),
        dict(type='CrossModalIDHead'),
        dict(type='IDHead', feature='u'),
        dict(type='TripletHead', feature='u'),
        dict(type='PromptIDHead', feature='u', tau=0.1),
        dict(type='PromptAlignHead', loss_weight=0.4),
        dict(type='PromptRegularizationHead', loss_weight=0.06),
    ]


def build_hpl(num_ids=NUM_IDS, seed=0, **kwargs):
    """Build a HPL in float64."""
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(seed)
    inversion = dict(type='QueryInversion', num_tokens=2, depth=1, num_heads=2)
    config = dict(
        type='HPL',
        image_encoder=dict(type='TaskRoutedTransformer', arch=ARCH, img_size=(32, 16)),
        text_encoder=dict(type='CLIPTextEncoder'),
        prompt_encoder=dict(type='CLIPPromptEncoder'),
        prompt_learner=dict(type='HierarchicalPromptLearner', num_id_tokens=2),
        image_inversion=inversion,
        text_inversion=inversion,
        heads=dict(construct=construct_heads(), align=align_heads()),
        num_ids=num_ids,
    )
    return MODELS.build({**config, **kwargs}).double()


TRAINABLE = dict(
    construct=(
        'prompt_learner',
        'image_inversion',
        'text_inversion',
        'heads.construct',
    ),
    align=('image_encoder', 'text_encoder', 'necks', 'heads.align'),
)


def enter(model, stage):
    """Enter a stage as the training loop does."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(TRAINABLE[stage]))
    model.enter_stage(stage)
    return model.train()


def make_batch(captioned=4, image_only=8, seed=1):
    """Captioned items first, then P x K images."""
    generator = torch.Generator().manual_seed(seed)
    size = captioned + image_only
    labels = torch.cat(
        [
            torch.randint(0, NUM_IDS, (captioned,), generator=generator),
            torch.arange(image_only) // 2 % NUM_IDS,
        ]
    )
    captions = torch.randint(1, 400, (captioned, 12), generator=generator)
    captions[:, 0] = 49406
    for row in range(captioned):
        captions[row, 6 + row % 6] = 49407
        captions[row, 7 + row % 6 :] = 0
    masked_captions, mask_labels = captions.clone(), torch.zeros_like(captions)
    masked_captions[:, 2] = 49405
    mask_labels[:, 2] = captions[:, 2]
    unique, index = labels.unique(return_inverse=True)
    return dict(
        images=torch.randn(size, 3, 32, 16, dtype=torch.float64, generator=generator),
        image_rows=torch.arange(size),
        camids=torch.arange(size) % 2,
        captions=captions,
        masked_captions=masked_captions,
        mask_labels=mask_labels,
        caption_rows=torch.arange(captioned),
        image_only_rows=torch.arange(captioned, size),
        labels=labels,
        unique_labels=unique,
        unique_index=index,
    )


def slice_batch(batch, captioned_rows, image_rows):
    """A rank's share of a batch."""
    captioned = len(batch['caption_rows'])
    rows = torch.tensor([*captioned_rows, *image_rows])
    labels = batch['labels'][rows]
    unique, index = labels.unique(return_inverse=True)
    k = len(captioned_rows)
    assert all(r < captioned for r in captioned_rows)
    return dict(
        images=batch['images'][rows],
        image_rows=torch.arange(len(rows)),
        camids=batch['camids'][rows],
        captions=batch['captions'][list(captioned_rows)],
        masked_captions=batch['masked_captions'][list(captioned_rows)],
        mask_labels=batch['mask_labels'][list(captioned_rows)],
        caption_rows=torch.arange(k),
        image_only_rows=torch.arange(k, len(rows)),
        labels=labels,
        unique_labels=unique,
        unique_index=index,
    )
