"""Transforms, against torchvision's and against counting."""

import numpy as np
import pytest
import torch
import torchvision.transforms as T
from PIL import Image

from hplreid.datasets import (
    LoadImage,
    MaskCaption,
    PackReIDInputs,
    PadRandomCrop,
    RandomErasing,
    RandomFlip,
    ResizeImage,
    TokenizeCaption,
)
from hplreid.datasets.transforms.augmentation import CLIP_MEAN, CLIP_STD, draw_box
from hplreid.datasets.transforms.caption import MASK_ID, mask_tokens
from hplreid.registry import TRANSFORMS

SOT, EOT = 49406, 49407


@pytest.fixture
def noise():
    pixels = np.random.default_rng(0).integers(256, size=(70, 33, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def image():
    return torch.randint(
        256, (3, 40, 20), generator=torch.Generator().manual_seed(0)
    ).to(torch.uint8)


@pytest.mark.parametrize('mode', ['RGB', 'L', 'CMYK', 'RGBA'])
def test_load_gives_rgb(tmp_path, noise, mode):
    path = tmp_path / ('x.png' if mode == 'RGBA' else 'x.jpg')
    noise.convert(mode).save(path)
    loaded = LoadImage()({'img_path': str(path)})['image']
    assert loaded.mode == 'RGB'
    assert loaded.size == (33, 70)
    assert loaded.tobytes() == Image.open(path).convert('RGB').tobytes()


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_resize_is_torchvisions(noise, interpolation):
    found = ResizeImage((96, 32), interpolation)({'image': noise})['image']
    mode = T.InterpolationMode(interpolation)
    expected = T.PILToTensor()(T.Resize((96, 32), mode)(noise))
    assert found.dtype == torch.uint8
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ('ours', 'theirs'),
    [
        (RandomFlip(), T.RandomHorizontalFlip()),
        (PadRandomCrop(6), T.RandomCrop((40, 20), padding=6)),
    ],
)
def test_augmentation_is_torchvisions(image, ours, theirs):
    different = 0
    for seed in range(20):
        torch.manual_seed(seed)
        found = ours({'image': image})['image']
        torch.manual_seed(seed)
        assert torch.equal(found, theirs(image))
        different += not torch.equal(found, image)
    assert different > 3


def test_erasing_box_is_torchvisions(image):
    area, ratio = (0.02, 0.4), (0.3, 3.3)
    for seed in range(50):
        torch.manual_seed(seed)
        found = draw_box(40, 20, area, ratio)
        torch.manual_seed(seed)
        top, left, height, width, _ = T.RandomErasing.get_params(
            image, area, ratio, [0.0]
        )
        assert found == (top, left, height, width)


def test_erasing_gives_up_on_what_never_fits():
    assert draw_box(10, 10, (1.0, 1.0), (1.0, 1.0)) is None
    image = torch.ones(3, 10, 10, dtype=torch.uint8)
    step = RandomErasing(1.0, area=(1.0, 1.0), ratio=(1.0, 1.0))
    assert torch.equal(step({'image': image})['image'], image)


def test_erased_colour_in_normalised_units(image):
    erased = RandomErasing(prob=1.0)({'image': image.clone()})['image']
    changed = (erased != image).any(dim=0)
    assert 0.01 < changed.float().mean() < 0.45
    colour = erased[:, changed][:, 0].double() / 255
    normalised = (colour - torch.tensor(CLIP_MEAN)) / torch.tensor(CLIP_STD)
    # IRRA fills in the numbers of the mean; half a step of 1/255 is lost in rounding
    gap = (normalised - torch.tensor(CLIP_MEAN)).abs()
    assert (gap <= 0.5 / 255 / torch.tensor(CLIP_STD) + 1e-6).all()


def test_erasing_happens_as_often_as_asked(image):
    torch.manual_seed(0)
    step = RandomErasing(prob=0.3)
    times = sum(
        not torch.equal(step({'image': image})['image'], image) for _ in range(1000)
    )
    assert abs(times - 300) < 4 * (1000 * 0.3 * 0.7) ** 0.5


def test_tokens():
    item = {'caption': 'A man in a red shirt.'}
    tokens = TokenizeCaption()(item)['tokens']
    # a</w> man</w> in</w> a</w> red</w> shirt</w> .</w> in CLIP's vocabulary
    expected = [SOT, 320, 786, 530, 320, 736, 2523, 269, EOT]
    assert tokens.tolist() == expected + [0] * 68


def test_long_captions_keep_the_end():
    tokens = TokenizeCaption()({'caption': 'shirt ' * 100})['tokens']
    assert tokens.tolist() == [SOT] + [2523] * 75 + [EOT]
    short = TokenizeCaption(context_length=5)({'caption': 'shirt ' * 9})['tokens']
    assert short.tolist() == [SOT, 2523, 2523, 2523, EOT]


def test_masking_by_counting():
    torch.manual_seed(0)
    words = 200_000
    tokens = torch.cat(
        [
            torch.tensor([SOT]),
            torch.full((words,), 1000),
            torch.tensor([MASK_ID, EOT, 0, 0]),
        ]
    )
    masked, originals = mask_tokens(tokens, 0.15)
    assert torch.equal(masked[[0, -4, -3, -2, -1]], tokens[[0, -4, -3, -2, -1]])
    selected = originals > 0
    assert set(originals[selected].tolist()) == {1000}
    assert torch.equal(masked[~selected], tokens[~selected])

    def near(count, total, part):
        return abs(int(count) - total * part) < 4 * (total * part * (1 - part)) ** 0.5

    total = int(selected.sum())
    result = masked[selected]
    assert near(total, words, 0.15)
    assert near((result == MASK_ID).sum(), total, 0.8)
    assert near((result == 1000).sum(), total, 0.1)
    others = result[(result != MASK_ID) & (result != 1000)]
    assert near(len(others), total, 0.1)
    assert others.min() >= 1
    assert others.max() < MASK_ID
    assert abs(others.double().mean() / MASK_ID - 0.5) < 0.03


def test_start_end_mask_and_padding_are_never_selected():
    tokens = torch.tensor([SOT, MASK_ID, 1000, MASK_ID - 1, EOT, 0, 0])
    masked, originals = mask_tokens(tokens, 1.0)
    assert originals.tolist() == [0, 0, 1000, MASK_ID - 1, 0, 0, 0]
    assert masked[[0, 1, 4, 5, 6]].tolist() == [SOT, MASK_ID, EOT, 0, 0]


def test_masking_selects_at_least_one():
    tokens = torch.tensor([SOT, 1000, 1001, EOT, 0])
    masked, originals = mask_tokens(tokens, 1e-9)
    assert masked.tolist() == [SOT, MASK_ID, 1001, EOT, 0]
    assert originals.tolist() == [0, 1000, 0, 0, 0]
    empty = torch.tensor([SOT, EOT, 0])
    assert mask_tokens(empty, 0.5)[0].tolist() == [SOT, EOT, 0]


def test_masking_of_items():
    tokens = torch.tensor([SOT, 1000, 1001, EOT, 0])
    before = tokens.clone()
    torch.manual_seed(0)
    masked = MaskCaption(prob=1.0)({'tokens': tokens})['tokens']
    assert not torch.equal(masked, before)
    assert torch.equal(tokens, before)
    assert torch.equal(MaskCaption(prob=0.0)({'tokens': tokens})['tokens'], before)


def test_steps_pass_what_does_not_concern_them(image):
    caption_only = {'img_path': None, 'caption': 'a man'}
    image_only = {'img_path': 'x.jpg', 'caption': None, 'image': image}
    for step in (LoadImage(), ResizeImage(), RandomFlip(), RandomErasing(1.0)):
        assert step(dict(caption_only)) == caption_only
    for step in (TokenizeCaption(), MaskCaption(1.0)):
        assert step(dict(image_only)).keys() == image_only.keys()


def pack(**item):
    base = {
        'img_path': None,
        'pid': 5,
        'label': 2,
        'camid': -1,
        'caption': None,
        'source': 'CUHK-PEDES',
        'split': 'train',
        'sample_idx': 9,
    }
    return PackReIDInputs()({**base, **item}), base


def test_packing(image, noise):
    tokens = torch.arange(77)
    packed, base = pack(img_path='x.jpg', caption='c', image=image, tokens=tokens)
    assert torch.equal(packed['inputs']['image'], image)
    assert torch.equal(packed['inputs']['caption'], tokens)
    sample = packed['data_samples']
    assert sample.metainfo == {**base, 'img_path': 'x.jpg', 'caption': 'c'}
    assert pack(img_path='x.jpg', image=image)[0]['inputs']['caption'] is None
    assert pack(caption='c', tokens=tokens)[0]['inputs']['image'] is None
    plain = pack(img_path='x.jpg', image=noise)[0]['inputs']['image']
    assert plain.shape == (3, 70, 33)
    assert np.array_equal(plain.permute(1, 2, 0).numpy(), np.array(noise))


@pytest.mark.parametrize(
    ('item', 'message'),
    [
        ({'img_path': 'x.jpg'}, "picture 'x.jpg' was not loaded.*lacks LoadImage"),
        ({'caption': 'a man'}, "caption 'a man'.*lacks TokenizeCaption"),
        ({}, 'Item 9 of CUHK-PEDES has neither'),
        (
            {'img_path': 'x.jpg', 'image': torch.rand(3, 4, 4)},
            'uint8, got torch.float32',
        ),
    ],
)
def test_packing_refuses(item, message):
    with pytest.raises(ValueError, match=message):
        pack(**item)


@pytest.mark.parametrize(
    ('cls', 'options', 'message'),
    [
        (ResizeImage, {'size': (384,)}, r'\(height, width\)'),
        (ResizeImage, {'size': (0, 128)}, r'\(height, width\)'),
        (ResizeImage, {'interpolation': 'area'}, "got 'area'"),
        (RandomFlip, {'prob': 1.5}, 'prob must be a probability.*1.5'),
        (PadRandomCrop, {'padding': -1}, 'must not be negative, got -1'),
        (RandomErasing, {'prob': -1}, 'prob must be a probability'),
        (RandomErasing, {'area': (0.4, 0.1)}, 'area must be a range'),
        (RandomErasing, {'ratio': (0, 3)}, 'ratio must be a positive'),
        (MaskCaption, {'prob': 2}, 'prob must be a probability'),
        (TokenizeCaption, {'context_length': 2}, 'leave room for start'),
    ],
)
def test_refused(cls, options, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build({'type': cls.__name__, **options})
