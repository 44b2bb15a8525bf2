"""Decoding and resizing against Pillow, pixel for pixel."""

import io

import cv2
import numpy as np
import pytest
import torch
import torchvision.transforms as T
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from hplreid.datasets import UnreadableImageError
from hplreid.datasets.images import resampling
from hplreid.datasets.images.decoding import (
    count_components,
    decode_pixels,
    decodes_like_pillow,
)
from hplreid.datasets.images.image_files import decode_image
from hplreid.datasets.images.resampling import resize

SIDE = st.integers(1, 420)


def noise(height, width, seed=0):
    shape = (height, width, 3)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def as_tensor(image):
    return T.PILToTensor()(image)


@given(height=SIDE, width=SIDE, new_height=SIDE, new_width=SIDE, cubic=st.booleans())
@settings(max_examples=80, deadline=None)
@example(height=128, width=64, new_height=256, new_width=128, cubic=True)
@example(height=300, width=120, new_height=256, new_width=128, cubic=True)
@example(height=300, width=120, new_height=384, new_width=128, cubic=False)
@example(height=256, width=200, new_height=256, new_width=128, cubic=True)
@example(height=300, width=2, new_height=256, new_width=128, cubic=True)
def test_resize_is_pillows(height, width, new_height, new_width, cubic):
    method = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
    image = Image.fromarray(noise(height, width))
    expected = as_tensor(image.resize((new_width, new_height), method))
    for pixels in (
        as_tensor(image),
        torch.from_numpy(np.array(image)).permute(2, 0, 1),
    ):
        found = resize(pixels, (new_height, new_width), method)
        assert found.is_contiguous()
        assert torch.equal(found, expected)


def test_extreme_pixels_are_clipped_as_pillow_does():
    """Bicubic weights below zero take sums beyond black and white."""
    board = (noise(200, 90) > 127).astype(np.uint8) * 255
    for size in ((256, 128), (64, 32)):
        image = Image.fromarray(board)
        expected = image.resize(size[::-1], Image.Resampling.BICUBIC)
        found = resize(as_tensor(image), size, Image.Resampling.BICUBIC)
        assert torch.equal(found, as_tensor(expected))


@pytest.mark.parametrize('change', [{'_VERSION': 99}, {'_LARGEST': 40}])
def test_what_is_not_known_is_left_to_pillow(change, monkeypatch):
    for name, value in change.items():
        monkeypatch.setattr(resampling, name, value)
    monkeypatch.setattr(resampling, '_weights', None)
    image = Image.fromarray(noise(50, 30))
    expected = as_tensor(image.resize((16, 32), Image.Resampling.BICUBIC))
    found = resize(as_tensor(image), (32, 16), Image.Resampling.BICUBIC)
    assert torch.equal(found, expected)


def encode(image, **options):
    file = io.BytesIO()
    image.save(file, options.pop('format', 'JPEG'), **options)
    return file.getvalue()


def smooth(mode='RGB', size=(61, 118)):
    return (
        Image.fromarray(noise(15, 9))
        .resize(size, Image.Resampling.BICUBIC)
        .convert(mode)
    )


@pytest.mark.parametrize('quality', [30, 75, 95])
@pytest.mark.parametrize(
    'options',
    [
        {'subsampling': 0},
        {'subsampling': 1},
        {'subsampling': 2},
        {'progressive': True},
        {'restart_marker_blocks': 2},
        {'keep_rgb': True},
        {'exif': b'Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\1\0\0\0\0\0\0'},
        {'comment': b'x' * 60000},
    ],
)
def test_jpeg_pixels_are_pillows(quality, options):
    data = encode(smooth(), quality=quality, **options)
    assert count_components(data) == 3
    expected = as_tensor(Image.open(io.BytesIO(data)))
    assert torch.equal(decode_pixels(data, ''), expected)


def test_opencv_decodes_like_pillow():
    """Both come as wheels here. If not, loading is right all the same, but slower."""
    assert decodes_like_pillow.__wrapped__()


@pytest.mark.parametrize('broken', ['pixels', 'error'])
def test_without_a_like_decoder_pillow_does_it(broken, monkeypatch):
    if broken == 'pixels':
        right = cv2.imdecode
        monkeypatch.setattr(cv2, 'imdecode', lambda *args: right(*args) // 2 * 2)
    else:
        monkeypatch.setattr(cv2, 'imdecode', lambda *args: None)
    assert not decodes_like_pillow.__wrapped__()


@pytest.mark.parametrize(
    ('image', 'options', 'components'),
    [
        (smooth('L'), {}, 1),
        (smooth('CMYK'), {}, 4),
        (smooth('RGBA'), {'format': 'PNG'}, 0),
        (smooth('P'), {'format': 'PNG'}, 0),
        (smooth('L'), {'format': 'BMP'}, 0),
    ],
)
def test_other_images_are_pillows_rgb(image, options, components):
    data = encode(image, **options)
    assert count_components(data) == components
    expected = as_tensor(Image.open(io.BytesIO(data)).convert('RGB'))
    assert torch.equal(decode_pixels(data, ''), expected)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_give_pillows_pixels_or_its_error(data):
    file = bytearray(encode(smooth(size=(40, 50)), quality=80))
    if data.draw(st.booleans(), label='cut'):
        del file[data.draw(st.integers(0, len(file) - 1)) :]
        places = 0
    else:
        places = data.draw(st.integers(1, 4))
    for _ in range(places):
        # Up to the last rows; what is damaged after the last pixel may pass
        file[data.draw(st.integers(2, len(file) - 60))] = data.draw(st.integers(0, 255))
    expected, found = (
        pixels_or_none(decode, bytes(file)) for decode in (decode_image, decode_pixels)
    )
    if expected is not None:
        assert torch.equal(found, as_tensor(expected))
    elif not places:  # a file that was cut never passes
        assert found is None


def pixels_or_none(decode, data):
    try:
        return decode(data, 'x.jpg')
    except UnreadableImageError:
        return None


@pytest.mark.parametrize('data', [b'', b'\xff\xd8\xff', b'\xff\xd8\xff\xe0\0\0', b'no'])
def test_what_is_no_image_is_an_error(data):
    assert count_components(data) == 0
    with pytest.raises(UnreadableImageError, match=f'{len(data)} bytes'):
        decode_pixels(data, 'x.jpg')
