"""The data preprocessor: rows, normalization, trimming, both ways to collate."""

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS

from hplreid.datasets import reid_collate
from hplreid.models.data_preprocessor import ReIDDataPreprocessor
from hplreid.registry import MODELS
from hplreid.structures import Erasure, ReIDDataSample

SOT, EOT = 49406, 49407


def sample(label, image=None, words=None, masked=False, **known):
    tokens = masking = None
    if words is not None:
        tokens = torch.zeros(77, dtype=torch.int64)
        tokens[: words + 2] = torch.tensor([SOT, *[1000] * words, EOT])
        masking = torch.stack([tokens, tokens + 1]) if masked else None
    caption = None if words is None else f'{words} words'
    meta = ReIDDataSample(metainfo={'label': label, 'caption': caption, **known})
    inputs = {'image': image, 'caption': tokens, 'masking': masking}
    return {'inputs': inputs, 'data_samples': meta}


def image(seed, size=(8, 4)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (3, *size), generator=generator, dtype=torch.uint8)


def joint_batch():
    return [
        sample(4, image(0)),
        sample(7, image(1), words=3),
        sample(4, image(2), words=9),
        sample(2, image(3)),
    ]


@pytest.mark.parametrize('collate', [pseudo_collate, reid_collate])
def test_joint_batch(collate):
    samples = joint_batch()
    batch = ReIDDataPreprocessor()(collate(samples), training=True)
    inputs = batch['inputs']
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073], dtype=torch.float64)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711], dtype=torch.float64)
    for row in range(4):
        pixels = samples[row]['inputs']['image'].double() / 255
        expected = (pixels - mean[:, None, None]) / std[:, None, None]
        assert torch.allclose(inputs['images'][row].double(), expected, atol=1e-5)
    assert inputs['images'].dtype == torch.float32
    assert inputs['image_rows'].tolist() == [0, 1, 2, 3]
    assert inputs['caption_rows'].tolist() == [1, 2]
    assert inputs['image_only_rows'].tolist() == [0, 3]
    assert inputs['labels'].tolist() == [4, 7, 4, 2]
    assert inputs['captions'].shape == (2, 11)  # nine words, start and end
    assert inputs['captions'][0].tolist() == [SOT, 1000, 1000, 1000, EOT] + [0] * 6
    assert inputs['captions'][1, -1] == EOT
    assert all(
        a is b['data_samples']
        for a, b in zip(batch['data_samples'], samples, strict=True)
    )


@pytest.mark.parametrize('collate', [pseudo_collate, reid_collate])
def test_what_is_erased(collate):
    noisy = Erasure(1, 0, 5, 3, None, seed=8)
    samples = [
        sample(0, image(0)),
        sample(0, words=2),  # a row without an image
        sample(0, image(1), erasure=Erasure(2, 1, 3, 2, (0.5, -9.0, 9.0))),
        sample(0, image(2), erasure=noisy),
        sample(0, image(3), erasure=noisy),
    ]
    batch = collate(samples)
    found = ReIDDataPreprocessor()(batch)['inputs']['images']
    for s in samples:
        s['data_samples'].set_metainfo({'erasure': None})
    expected = ReIDDataPreprocessor()(collate(samples))['inputs']['images']
    assert torch.equal(found[0], expected[0])
    for channel, value in enumerate((0.5, -9.0, 9.0)):
        expected[1, channel, 2:5, 1:3] = value
    assert torch.equal(found[1], expected[1])
    noise = found[2:, :, 1:6, 0:3]
    assert torch.equal(noise[0], noise[1])  # the seed's, whatever else is in the batch
    assert len(noise[0].unique()) == 45
    expected[2:, :, 1:6, 0:3] = noise
    assert torch.equal(found, expected)


@pytest.mark.parametrize('collate', [pseudo_collate, reid_collate])
def test_masked_captions_are_trimmed_alike(collate):
    samples = [sample(0, image(0)), sample(0, image(1), words=3, masked=True)]
    inputs = ReIDDataPreprocessor()(collate(samples))['inputs']
    assert torch.equal(inputs['masked_captions'], inputs['captions'])
    assert torch.equal(inputs['mask_labels'], inputs['captions'] + 1)
    unmasked = ReIDDataPreprocessor()(collate(joint_batch()))['inputs']
    assert 'masked_captions' not in unmasked
    some = [*samples, sample(0, image(2), words=3)]
    with pytest.raises(ValueError, match='1 of 2 captions .* have been masked'):
        ReIDDataPreprocessor()(collate(some))


def test_denormalized_images_are_the_same():
    preprocess = ReIDDataPreprocessor()
    samples = [sample(0, image(seed, (64, 32))) for seed in range(3)]
    images = preprocess(reid_collate(samples))['inputs']['images']
    expected = torch.stack([s['inputs']['image'] for s in samples])
    assert torch.equal(preprocess.denormalize(images), expected)
    clamped = preprocess.denormalize(torch.full((1, 3, 2, 2), 9.0))
    assert clamped.unique().tolist() == [255]


def test_untrimmed():
    data = reid_collate(joint_batch())
    inputs = ReIDDataPreprocessor(trim_captions=False)(data)['inputs']
    assert inputs['captions'].shape == (2, 77)


@pytest.mark.parametrize('collate', [pseudo_collate, reid_collate])
def test_images_or_captions_alone(collate):
    preprocess = ReIDDataPreprocessor()
    texts = preprocess(collate([sample(-1, words=2), sample(-1, words=4)]))['inputs']
    assert texts['images'].shape == (0, 3, 0, 0)
    assert texts['image_rows'].tolist() == []
    assert texts['captions'].shape == (2, 6)
    assert texts['image_only_rows'].tolist() == []
    images = preprocess(collate([sample(-1, image(0))]))['inputs']
    assert images['captions'].shape == (0, 0)
    assert images['captions'].dtype == torch.int64
    assert images['image_only_rows'].tolist() == [0]
    mixed = preprocess(collate([sample(-1, image(0)), sample(-1, words=2)]))['inputs']
    assert mixed['image_rows'].tolist() == [0]
    assert mixed['caption_rows'].tolist() == [1]


def test_training_wants_a_image_in_every_row():
    data = pseudo_collate([sample(0, image(0)), sample(1, words=5)])
    with pytest.raises(ValueError, match="1 training items .* no image.*'5 words'"):
        ReIDDataPreprocessor()(data, training=True)


@pytest.mark.parametrize('collate', [pseudo_collate, reid_collate])
def test_images_of_different_size(collate):
    samples = [sample(0, image(0)), sample(0, image(1, (8, 5)))]
    with pytest.raises(ValueError, match=r'differ in shape.*\(3, 8, 4\), \(3, 8, 5\)'):
        ReIDDataPreprocessor()(collate(samples))


def test_other_statistics_and_device():
    config = {
        'type': 'ReIDDataPreprocessor',
        'mean': [0.5, 0.5, 0.5],
        'std': [0.5, 0.5, 0.5],
    }
    preprocess = MODELS.build(config).to('cpu')
    assert preprocess.state_dict() == {}
    white = torch.full((3, 2, 2), 255, dtype=torch.uint8)
    images = preprocess(reid_collate([sample(0, white)]))['inputs']['images']
    assert torch.equal(images, torch.ones(1, 3, 2, 2))


@pytest.mark.parametrize('std', [[1.0, 1.0], [58.4, 57.1, 57.4], [0.0, 0.5, 0.5]])
def test_statistics_are_checked(std):
    with pytest.raises(ValueError, match='pixels from 0 to 1'):
        ReIDDataPreprocessor(std=std)


def test_collate_is_known_to_the_runner():
    assert FUNCTIONS.get('reid_collate') is reid_collate
