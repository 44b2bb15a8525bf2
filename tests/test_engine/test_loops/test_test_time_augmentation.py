"""Averages over variants of an image, and selected features, computed by hand."""

import pytest
import torch
import torch.nn.functional as F

from hplreid.datasets.collate import reid_collate
from hplreid.engine.loops.test_time_augmentation import TestTimeAugmentation, zoom
from hplreid.structures import ReIDDataSample
from tests.test_models.test_reid.tiny import add_nano_arch, build_hpl


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    return build_hpl(num_ids=None).float().eval()


def make_batch(num_images=3, captions=2, dtype=torch.uint8):
    """Return a batch with captions first, so that rows of images aren't positions."""
    generator = torch.Generator().manual_seed(0)
    words = torch.tensor([49406, 5, 6, 49407, 0, 0])
    images = torch.randint(0, 256, (num_images, 3, 32, 16), generator=generator)
    inputs = [
        {'image': None, 'caption': words + torch.tensor([0, i, 0, 0, 0, 0])}
        for i in range(captions)
    ]
    inputs += [{'image': image.to(dtype), 'caption': None} for image in images]
    samples = [
        ReIDDataSample(metainfo={'label': -1, 'sample_idx': i})
        for i in range(len(inputs))
    ]
    return reid_collate(
        [{'inputs': i, 'data_samples': s} for i, s in zip(inputs, samples, strict=True)]
    )


def features(samples, name):
    return torch.stack([s.get(name) for s in samples if name in s])


@torch.no_grad()
def encode(model, images):
    """Return the I2I and T2I features of images, computed by the tower."""
    states = model.image_encoder(model.data_preprocessor._normalize(images.clone()))
    return states['u'], states['v']


@torch.no_grad()
def run(model, batch, **options):
    return TestTimeAugmentation(**options).run(model.test_step, batch)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_flip_is_the_mean_of_two_directions(model, dtype):
    batch = make_batch(dtype=dtype)
    images = batch['inputs']['images'].clone()
    samples = run(model, batch, flip=True)
    plain, mirrored = encode(model, images), encode(model, images.flip(3))
    for name, one, two in zip(('i2i_feat', 't2i_feat'), plain, mirrored, strict=True):
        assert not torch.allclose(one, two, atol=1e-3)
        hand = (one / one.norm(dim=1)[:, None] + two / two.norm(dim=1)[:, None]) / 2
        found = features(samples[2:], name)
        torch.testing.assert_close(found, hand, rtol=1e-4, atol=1e-5)
    # An image and its mirror image have the same features
    again = make_batch(dtype=dtype)
    again['inputs']['images'] = images.flip(3)
    torch.testing.assert_close(
        features(run(model, again, flip=True)[2:], 'i2i_feat'),
        features(samples[2:], 'i2i_feat'),
        rtol=1e-4,
        atol=1e-5,
    )


def test_scales_and_flip_together_average_all_variants(model):
    batch = make_batch()
    images = batch['inputs']['images']
    samples = run(model, batch, flip=True, scales=(1, 1.25, 0.75))
    variants = [zoom(images, s) for s in (1, 1.25, 0.75)]
    variants += [v.flip(3) for v in variants]
    hand = torch.stack([F.normalize(encode(model, v)[0]) for v in variants]).mean(0)
    found = features(samples[2:], 'i2i_feat')
    torch.testing.assert_close(found, hand, rtol=1e-4, atol=1e-5)


def test_captions_are_unchanged_and_encoded_once(model, monkeypatch):
    plain = features(run(model, make_batch())[:2], 't2i_feat')
    calls = []
    text = model.text_encoder.forward
    monkeypatch.setattr(
        model.text_encoder,
        'forward',
        lambda x, *reads: calls.append(len(x)) or text(x, *reads),
    )
    samples = run(model, make_batch(), flip=True, scales=(1, 1.1))
    assert calls == [2]
    assert torch.equal(features(samples[:2], 't2i_feat'), plain)
    assert 'i2i_feat' not in samples[0]
    captions = run(model, make_batch(num_images=0), flip=True)
    assert torch.equal(features(captions, 't2i_feat'), plain)


def test_without_options_features_are_those_of_the_model(model):
    found = run(model, make_batch())
    u, v = encode(model, make_batch()['inputs']['images'])
    torch.testing.assert_close(features(found[2:], 'i2i_feat'), u)
    torch.testing.assert_close(features(found[2:], 't2i_feat'), v)
    assert TestTimeAugmentation().describe() == []
    augmentation = TestTimeAugmentation(flip=True, scales=[1, 1.5])
    (line,) = augmentation.describe()
    assert line == 'test-time augmentation: flip and scales 1, 1.5'


@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_zoom(dtype):
    ramp = torch.arange(8.0).mul(20).expand(1, 3, 4, 8).to(dtype)
    assert torch.equal(zoom(ramp, 1), ramp)
    assert zoom(ramp, 1).data_ptr() != ramp.data_ptr()
    near = zoom(ramp, 2)[0, 0, 0].float()  # columns 2 to 5, twice as wide
    hand = torch.tensor([35.0, 45, 55, 65, 75, 85, 95, 105])
    torch.testing.assert_close(near, hand, rtol=0, atol=1.0)
    far = zoom(ramp, 0.5)[0, 0]  # all columns in the middle four
    assert torch.equal(far[:, :2], far[:, 2:3].expand(-1, 2))
    assert torch.equal(far[:, 6:], far[:, 5:6].expand(-1, 2))
    assert (far[0, 2:6].float().diff() > 30).all()


@pytest.mark.parametrize('names', [['v'], ['u', 'v'], ['u_penultimate', 'u_post', 'u']])
def test_i2i_feature_concatenates_the_named_states(names):
    model = build_hpl(num_ids=None, i2i_feature=names).float().eval()
    batch = make_batch()
    images = model.data_preprocessor._normalize(batch['inputs']['images'])
    with torch.no_grad():
        states = model.image_encoder(images)
        samples = model.test_step(batch)
    hand = torch.cat([states[name] for name in names], dim=1)
    torch.testing.assert_close(features(samples[2:], 'i2i_feat'), hand)
    torch.testing.assert_close(features(samples[2:], 't2i_feat'), states['v'])


def test_wrong_arguments_and_batches_are_errors(model):
    for scales in ((), (0,), (1, -2)):
        with pytest.raises(ValueError, match='scales must be numbers above 0; got'):
            TestTimeAugmentation(scales=scales)
    both = make_batch()
    both['inputs']['caption_rows'] = torch.tensor([0, 2])
    with pytest.raises(ValueError, match='an image or a caption; 1 are both'):
        run(model, both, flip=True)
    with pytest.raises(TypeError, match="collate_fn=dict.type='reid_collate'"):
        run(model, {'inputs': {'image': [], 'caption': []}}, flip=True)
