"""Transforms, against torchvision's and timm's, and against counting."""

from collections import Counter

import numpy as np
import pytest
import timm.data.random_erasing as timm_erasing
import torch
import torchvision.transforms as T
from PIL import Image
from scipy.stats import binomtest, chisquare, kstest

from hplreid.datasets import (
    EDACaption,
    ItemDataset,
    LoadImage,
    MaskCaption,
    PackReIDInputs,
    PadRandomCrop,
    RandomErasing,
    RandomFlip,
    ResizeImage,
    TokenizeCaption,
    reid_collate,
)
from hplreid.datasets.transforms.caption_augmentation import delete_words, swap_words
from hplreid.datasets.transforms.caption_tokens import (
    MASK_ID,
    count_tokens,
    decode_tokens,
    get_tokenizer,
    mask_tokens,
)
from hplreid.datasets.transforms.image_augmentation import draw_box
from hplreid.models import ReIDDataPreprocessor
from hplreid.registry import TRANSFORMS

SOT, EOT = 49406, 49407
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
TIMM = {'fill': 'pixel', 'area': (0.02, 1 / 3), 'ratio': (0.3, 1 / 0.3)}


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
    assert loaded.dtype == torch.uint8
    assert torch.equal(loaded, T.PILToTensor()(Image.open(path).convert('RGB')))


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_resize_is_torchvisions(noise, interpolation):
    pixels = T.PILToTensor()(noise)
    found = ResizeImage((96, 32), interpolation)({'image': pixels})['image']
    mode = T.InterpolationMode(interpolation)
    expected = T.PILToTensor()(T.Resize((96, 32), mode)(noise))
    assert found.dtype == torch.uint8
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ('ours', 'theirs'),
    [
        (RandomFlip(), T.RandomHorizontalFlip()),
        (PadRandomCrop(6), T.RandomCrop((40, 20), padding=6)),
        (PadRandomCrop(50), T.RandomCrop((40, 20), padding=50)),  # some see nothing
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
    area, ratio = (0.02, 1.0), (0.3, 3.3)  # up to those that hardly fit
    for seed in range(400):
        torch.manual_seed(seed)
        found = draw_box(40, 20, area, ratio)
        torch.manual_seed(seed)
        top, left, height, width, _ = T.RandomErasing.get_params(
            image, area, ratio, [0.0]
        )
        whole = (top, left, height, width) == (0, 0, 40, 20)  # says that none fitted
        assert found == (None if whole else (top, left, height, width))


def test_erasing_gives_up_on_what_never_fits():
    assert draw_box(10, 10, (1.0, 1.0), (1.0, 1.0)) is None
    image = torch.ones(3, 10, 10, dtype=torch.uint8)
    step = RandomErasing(1.0, area=(1.0, 1.0), ratio=(1.0, 1.0))
    assert step({'image': image})['erasure'] is None


def prepared(image, *steps):
    """What the model gets of an image that went through these steps."""
    item = {'img_path': 'x.jpg', 'image': image, 'caption': None, 'label': 0}
    meta = dict.fromkeys(('pid', 'camid', 'source', 'split', 'sample_idx'))
    for step in steps:
        item = step(item)
    batch = reid_collate([PackReIDInputs()({**meta, **item})])
    return ReIDDataPreprocessor()(batch)['inputs']['images'][0]


@pytest.mark.parametrize(
    ('fill', 'value'),
    [('clip_mean', CLIP_MEAN), ('zero', 0), ((0.5, -1.0, 2.5), (0.5, -1.0, 2.5))],
)
def test_erasing_is_torchvisions_on_normalized_images(image, fill, value):
    normalize = T.Normalize(CLIP_MEAN, CLIP_STD)(image / 255)
    reference = T.RandomErasing(0.5, (0.02, 0.4), value=value)
    times = 0
    for seed in range(30):
        torch.manual_seed(seed)
        expected = reference(normalize)
        torch.manual_seed(seed)
        found = prepared(image, RandomErasing(fill=fill))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
        times += not torch.equal(expected, normalize)
    assert 5 < times < 25


class TorchNumbers:
    """Stands for the module ``random``, with torch's numbers in the same order."""

    @staticmethod
    def random():
        return float(torch.rand(1))

    @staticmethod
    def uniform(low, high):
        return float(torch.empty(1).uniform_(low, high))

    @staticmethod
    def randint(low, high):
        return int(torch.randint(low, high + 1, (1,)))


def test_pixel_erasing_has_timms_rectangles(image, monkeypatch):
    monkeypatch.setattr(timm_erasing, 'random', TorchNumbers)
    reference = timm_erasing.RandomErasing(0.5, mode='pixel', device='cpu')
    normalized = prepared(image)
    times = 0
    for seed in range(60):
        torch.manual_seed(seed)
        expected = reference(normalized.clone()) != normalized
        torch.manual_seed(seed)
        found = prepared(image, RandomErasing(0.5, **TIMM)) != normalized
        assert torch.equal(found, expected)
        times += bool(expected.any())
    assert 15 < times < 45


def test_pixel_erasing_is_standard_noise(image):
    untouched = prepared(image)
    noise = []
    for seed in range(60):
        torch.manual_seed(seed)
        found = prepared(image, RandomErasing(1.0, **TIMM))
        noise.append(found[found != untouched])
    values = torch.cat(noise)
    assert len(values) > 10_000
    assert len({v[0].item() for v in noise}) == len(noise)  # each has its own
    assert kstest(values.numpy(), 'norm').pvalue > 1e-3
    assert values.min() < -3  # beyond black and white: pixels of 8 bits end at 2.15
    assert values.max() > 3
    torch.manual_seed(0)
    again = prepared(image, RandomErasing(1.0, **TIMM))
    assert torch.equal(again[again != untouched], noise[0])


def test_erasing_happens_as_often_as_asked(image):
    torch.manual_seed(0)
    step = RandomErasing(prob=0.3)
    times = sum(step({'image': image})['erasure'] is not None for _ in range(1000))
    assert binomtest(times, 1000, 0.3).pvalue > 1e-3


@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_nothing_may_move_a_image_that_is_to_be_erased(image, prob):
    for late in (RandomFlip(), PadRandomCrop(), RandomErasing()):
        item = RandomErasing(prob)({'image': image})
        with pytest.raises(ValueError, match=f'{type(late).__name__} comes after'):
            late(item)


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


@pytest.mark.parametrize(
    'caption',
    [
        "The man's 42 T-shirt, isn't red?! (or is it...)",
        'Tom &amp; Jerry <b>are\there\x1b[1m',
        'a café — “quoted” \u00a0 text',
        '<start_of_text> of a woman with a backpack-like bag',
        '  spaces   everywhere ',
        '12345 x9 #@! ~ `~',
        'pneumonoultramicroscopic',
    ],
)
def test_tokens_are_counted_as_they_are_encoded(caption):
    assert count_tokens(caption) == len(get_tokenizer().encode(caption)) + 2


def test_cut_captions_are_said_when_a_split_is_read(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'hplreid.datasets.transforms.caption_tokens.log',
        lambda message, level: lines.append(message),
    )
    texts = ['shirt ' * 75, 'shirt ' * 76, 'hat ' * 100, 'hat ' * 100, None]
    items = [
        {'caption': text, 'label': 0, 'source': 'mine', 'split': 'query'}
        for text in texts
    ]
    dataset = ItemDataset(items, [TokenizeCaption()], {})
    assert lines == [
        "mine, split 'query': 2 of 3 different captions are longer than 77 tokens, "
        'start and end included, and are cut, by 25 at most; the end of text stays.'
    ]
    for item in dataset[0], dataset[1], dataset[2]:
        assert item['tokens'][-1] == EOT
    ItemDataset(items[:1], [TokenizeCaption()], {})
    assert len(lines) == 1


def test_decoded_tokens_are_the_caption():
    caption = 'A man, in a café; wearing beige-ish jeans!'
    tokens = TokenizeCaption()({'caption': caption})['tokens']
    texts = decode_tokens(tokens)
    assert len(texts) == int((tokens > 0).sum()) - 2
    joined = ''.join(texts).replace(' ', '')
    assert joined == caption.lower().replace(' ', '')
    tokens[2] = MASK_ID
    assert decode_tokens(tokens)[:3] == ['a ', '[mask] ', ', ']


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
        return binomtest(int(count), total, part).pvalue > 1e-3

    total = int(selected.sum())
    result = masked[selected]
    assert near(total, words, 0.15)
    assert near((result == MASK_ID).sum(), total, 0.8)
    assert near((result == 1000).sum(), total, 0.1)
    others = result[(result != MASK_ID) & (result != 1000)]
    assert near(len(others), total, 0.1)
    # Every word of the vocabulary is equally likely: 1 to MASK_ID - 1
    assert kstest((others.double() / MASK_ID).numpy(), 'uniform').pvalue > 1e-3
    assert others.min() >= 1
    assert others.max() < MASK_ID


def test_masking_of_many_captions_by_counting():
    torch.manual_seed(0)
    tokens = TokenizeCaption()({'caption': 'a man in a red shirt and blue jeans'})
    step, times, empty = MaskCaption(0.15), np.zeros(77), 0
    for _ in range(4000):
        masked, labels = step(dict(tokens))['masking']
        times += (labels > 0).numpy()
        empty += int((labels > 0).sum() == 1 and masked[1] == MASK_ID and labels[1] > 0)
    none = 0.85**9  # of nine words: then the first is masked all the same
    for place, count in enumerate(times.tolist()):
        part = 0.15 if 1 <= place <= 9 else 0.0
        part += none if place == 1 else 0.0
        assert count == part == 0 or binomtest(int(count), 4000, part).pvalue > 1e-3
    alone = none + 0.15 * 0.8 * 0.85**8
    assert binomtest(empty, 4000, alone).pvalue > 1e-3


def test_what_becomes_of_selected_words_by_counting():
    torch.manual_seed(0)
    tokens = torch.tensor([SOT, *range(1000, 1060), EOT])
    draws = torch.stack([mask_tokens(tokens, 1.0)[0][1:-1] for _ in range(200)])
    words, total = tokens[1:-1], draws.numel()
    masked, kept = draws == MASK_ID, draws == words
    exchanged = ~masked & ~kept
    for found, part in ((masked, 0.8), (kept, 0.1), (exchanged, 0.1)):
        assert binomtest(int(found.sum()), total, part).pvalue > 1e-3
    # For any word with the same chance, from 1 to the last one before the mask
    others = draws[exchanged]
    assert others.min() >= 1
    assert others.max() < MASK_ID
    tenths = torch.histc(others.float(), bins=10, min=1, max=MASK_ID)
    assert chisquare(tenths.numpy()).pvalue > 1e-3


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


@pytest.mark.parametrize('replace', [True, False])
def test_masking_of_items(replace):
    tokens = torch.tensor([SOT, 1000, 1001, EOT, 0])
    before = tokens.clone()
    torch.manual_seed(0)
    item = MaskCaption(prob=1.0, replace=replace)({'tokens': tokens})
    masked, labels = item['masking']
    torch.manual_seed(0)
    expected = mask_tokens(before, 1.0)
    assert torch.equal(masked, expected[0])
    assert not torch.equal(masked, before)
    assert torch.equal(labels, expected[1])
    assert torch.equal(item['tokens'], masked if replace else before)
    assert torch.equal(tokens, before)
    item = MaskCaption(0.0, replace)({'tokens': tokens})
    assert torch.equal(item['tokens'], before)
    assert torch.equal(item['masking'], torch.stack([before, torch.zeros_like(before)]))


WORDS = ['a', 'tall', 'man', 'wears', 'blue', 'jeans']


def test_deleted_words_by_counting():
    torch.manual_seed(0)
    kept = Counter()
    for _ in range(3000):
        left = delete_words(WORDS, 0.3)
        assert left == [w for w in WORDS if w in left]  # in their order
        kept.update(left)
    for count in kept.values():
        assert binomtest(count, 3000, 0.7 + 0.3**6 / 6).pvalue > 1e-3


def test_one_word_is_left_and_any_may_be():
    torch.manual_seed(0)
    last = Counter(tuple(delete_words(WORDS, 1.0)) for _ in range(600))
    assert chisquare([last[(word,)] for word in WORDS]).pvalue > 1e-3
    assert sum(last[(word,)] for word in WORDS) == 600
    assert delete_words([], 1.0) == []


def test_swaps_by_counting():
    torch.manual_seed(0)
    pairs = Counter()
    for _ in range(1500):
        moved = [i for i, w in enumerate(swap_words(WORDS, 1)) if w != WORDS[i]]
        assert len(moved) == 2
        pairs[tuple(moved)] += 1
    assert len(pairs) == 15
    assert chisquare(list(pairs.values())).pvalue > 1e-3
    assert sorted(swap_words(WORDS, 9)) == sorted(WORDS)
    assert swap_words(['man'], 3) == ['man']


def test_eda_changes_the_caption_that_is_tokenized():
    caption = ' '.join(WORDS * 5)
    torch.manual_seed(0)
    item = EDACaption(delete=0.2, swap=0.1)({'caption': caption})
    torch.manual_seed(0)
    expected = delete_words(swap_words(WORDS * 5, 3), 0.2)
    assert item['caption'] == ' '.join(expected) != caption
    words = ''.join(decode_tokens(TokenizeCaption()(item)['tokens'])).split()
    assert words == expected
    assert EDACaption(0.0, 0.0)({'caption': caption})['caption'] == caption
    assert EDACaption(0.0, 0.01)({'caption': 'red shirt'})['caption'] == 'shirt red'
    assert EDACaption(1.0)({'caption': None})['caption'] is None
    with pytest.raises(ValueError, match='comes after TokenizeCaption.*put it before'):
        EDACaption()(item)


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


def test_packing(image):
    tokens = torch.arange(77)
    packed, base = pack(img_path='x.jpg', caption='c', image=image, tokens=tokens)
    assert torch.equal(packed['inputs']['image'], image)
    assert torch.equal(packed['inputs']['caption'], tokens)
    sample = packed['data_samples']
    assert sample.metainfo == {**base, 'img_path': 'x.jpg', 'caption': 'c'}
    assert pack(img_path='x.jpg', image=image)[0]['inputs']['caption'] is None
    assert pack(caption='c', tokens=tokens)[0]['inputs']['image'] is None
    masking = torch.ones(2, 77)
    packed, _ = pack(caption='c', tokens=tokens, masking=masking)
    assert packed['inputs']['masking'] is masking


@pytest.mark.parametrize(
    ('item', 'message'),
    [
        ({'img_path': 'x.jpg'}, "image 'x.jpg' was not loaded.*lacks LoadImage"),
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
        (RandomErasing, {'fill': 'mean'}, "'clip_mean', 'zero', 'pixel'.*got 'mean'"),
        (RandomErasing, {'fill': (0, 0)}, r'got \(0, 0\)'),
        (EDACaption, {'delete': 2}, 'delete must be a probability'),
        (EDACaption, {'swap': -1}, 'swap must be a probability'),
        (MaskCaption, {'prob': 2}, 'prob must be a probability'),
        (TokenizeCaption, {'context_length': 2}, 'leave room for start'),
    ],
)
def test_refused(cls, options, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build({'type': cls.__name__, **options})
