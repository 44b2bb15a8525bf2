"""Files as a viewer shows them, by every function that decodes: one pixel for all."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageOps

from hplreid.datasets import UnreadableImageError
from hplreid.datasets.doctor.checks.files import check_files, check_shapes
from hplreid.datasets.doctor.file_inspection import inspect_bytes, inspect_files
from hplreid.datasets.images import CacheError, CacheKey, ImageCache
from hplreid.datasets.images.cache_builder import build_cache
from hplreid.datasets.images.decoding import decode_pixels
from hplreid.datasets.images.image_files import decode_image, read_image
from hplreid.datasets.images.rgb import ValueRangeError, to_rgb
from hplreid.datasets.transforms import LoadImage
from hplreid.visualization.ranked_list import fit_image


def encode(image, kind='PNG', **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height=6, width=4, channels=3, seed=0):
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def pixels_of(data, tmp_path, ending='.png'):
    """Return the pixels by every way that leads to some, which must agree."""
    path = tmp_path / f'a{ending}'
    path.write_bytes(data)
    one = np.array(decode_image(data, 'a'))
    height, width = one.shape[:2]
    key = CacheKey('set', (height, width), 'bilinear')
    build_cache(tmp_path, key, [str(path)], overwrite=True, progress=False)
    others = [
        decode_pixels(data, 'a'),
        LoadImage()({'img_path': str(path)})['image'],
        ImageCache(tmp_path, key).read(str(path)),
        torch.from_numpy(
            np.array(fit_image(read_image(str(path)), (width, height)))
        ).permute(2, 0, 1),
    ]
    for other in others:
        assert np.array_equal(other.permute(1, 2, 0).numpy(), one)
    assert inspect_bytes(data).size == (width, height)
    return one


def gray_png(bits16):
    """Write a PNG of 16 bits without asking Pillow, which has changed how it does."""
    import struct
    import zlib

    height, width = bits16.shape
    rows = b''.join(b'\0' + row.astype('>u2').tobytes() for row in bits16)

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return (
            struct.pack('>I', len(content)) + kind + content + struct.pack('>I', check)
        )

    head = struct.pack('>IIBBBBB', width, height, 16, 0, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', head)
        + chunk(b'IDAT', zlib.compress(rows))
        + chunk(b'IEND', b'')
    )


def test_16_bits_of_gray_are_scaled(tmp_path):
    values = np.array([[0, 255, 256, 257 * 90, 40_000, 65_535]], dtype=np.uint16)
    found = pixels_of(gray_png(values), tmp_path)
    assert found.tolist() == [[[v] * 3 for v in (0, 0, 1, 90, 156, 255)]]
    # What had 8 bits before has them again
    shades = noise(channels=1)[..., 0]
    again = pixels_of(gray_png(shades.astype(np.uint16) * 257), tmp_path)
    assert np.array_equal(again, np.stack([shades] * 3, axis=-1))


@pytest.mark.parametrize('order', ['<u2', '>u2'])
def test_16_bits_of_a_tiff_are_scaled(order, tmp_path):
    values = (noise(channels=1)[..., 0].astype(np.uint16) * 256).astype(order)
    mode = 'I;16' if order == '<u2' else 'I;16B'
    image = Image.frombytes(mode, values.shape[::-1], values.tobytes())
    found = pixels_of(encode(image, 'TIFF'), tmp_path, '.tif')
    assert np.array_equal(found[..., 0], values >> 8)


ORIENTED = {  # what EXIF says of each, as moves of an array
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize('orientation', ORIENTED)
@pytest.mark.parametrize(
    ('kind', 'ending'),
    [('PNG', '.png'), ('JPEG', '.jpg'), ('TIFF', '.tif'), ('WEBP', '.webp')],
)
def test_orientation_is_obeyed(kind, ending, orientation, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = Image.fromarray(noise(40, 24))
    options = {'lossless': True} if kind == 'WEBP' else {}
    plain = encode(image, kind, **options)
    stored = np.array(Image.open(io.BytesIO(plain)))
    data = encode(image, kind, exif=exif, **options)
    found = pixels_of(data, tmp_path, ending)
    assert np.array_equal(found, ORIENTED[orientation](stored))
    assert inspect_bytes(data).orientation == orientation


def test_orientation_in_xmp_alone_is_obeyed(tmp_path):
    note = b'<x:xmpmeta tiff:Orientation="6"></x:xmpmeta>'
    data = encode(Image.fromarray(noise(40, 24)), 'JPEG', xmp=note)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.array(ImageOps.exif_transpose(image))
    assert expected.shape == (24, 40, 3)
    assert np.array_equal(pixels_of(data, tmp_path, '.jpg'), expected)


@pytest.mark.parametrize('exif', [b'Exif\0\0MM', b'Exif\0\0' + b'x' * 30, b'junk'])
def test_damaged_notes_turn_nothing(exif, tmp_path):
    data = encode(Image.fromarray(noise(16, 8)), 'JPEG', exif=exif)
    expected = np.array(Image.open(io.BytesIO(data)))
    assert np.array_equal(pixels_of(data, tmp_path, '.jpg'), expected)


@pytest.mark.parametrize('mode', ['RGBA', 'LA'])
def test_transparent_pixels_are_white_and_opaque_ones_as_they_were(mode, tmp_path):
    image = Image.fromarray(noise(6, 4)).convert(mode)
    opaque = np.array(image.convert('RGB'))
    assert np.array_equal(pixels_of(encode(image), tmp_path), opaque)
    assert not inspect_bytes(encode(image)).is_transparent
    alpha = np.full((6, 4), 255, dtype=np.uint8)
    alpha[0], alpha[1] = 0, 128
    image.putalpha(Image.fromarray(alpha))
    found = pixels_of(encode(image), tmp_path)
    assert (found[0] == 255).all()
    half = opaque[1] * (128 / 255) + 255 * (127 / 255)
    assert np.abs(found[1] - half).max() <= 1
    assert np.array_equal(found[2:], opaque[2:])
    assert inspect_bytes(encode(image)).is_transparent


def test_a_palette_with_a_transparent_color(tmp_path):
    image = Image.new('P', (2, 1))
    image.putpalette([10, 20, 30, 200, 0, 0])
    image.putdata([0, 1])
    assert pixels_of(encode(image), tmp_path).tolist() == [[[10, 20, 30], [200, 0, 0]]]
    see_through = encode(image, transparency=1)
    found = pixels_of(see_through, tmp_path)
    assert found.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_a_transparent_color_of_an_rgb_file(tmp_path):
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint8))
    data = encode(image, transparency=(4, 5, 6))
    assert pixels_of(data, tmp_path).tolist() == [[[1, 2, 3], [255, 255, 255]]]


@pytest.mark.parametrize('mode', ['L', '1', 'CMYK', 'P'])
def test_other_modes_are_pillows(mode, tmp_path):
    kind, ending = ('TIFF', '.tif') if mode == 'CMYK' else ('PNG', '.png')
    image = Image.fromarray(noise(8, 5)).convert(mode)
    found = pixels_of(encode(image, kind), tmp_path, ending)
    assert np.array_equal(found, np.array(image.convert('RGB')))


def test_cmyk_of_a_jpeg_is_not_its_negative(tmp_path):
    data = encode(Image.new('RGB', (16, 16), 'white').convert('CMYK'), 'JPEG')
    assert pixels_of(data, tmp_path, '.jpg').min() > 250


def test_of_several_frames_the_first_is_taken(tmp_path):
    frames = [Image.new('RGB', (4, 4), color) for color in ('red', 'blue')]
    data = encode(frames[0], save_all=True, append_images=frames[1:])
    assert (pixels_of(data, tmp_path) == (255, 0, 0)).all()


@pytest.mark.parametrize('dtype', ['float32', 'int32'])
def test_values_without_a_range_are_refused_by_name(dtype, tmp_path):
    data = encode(Image.fromarray(np.ones((4, 4), dtype=dtype)), 'TIFF')
    path = tmp_path / 'depth.tif'
    path.write_bytes(data)
    kind = 'floats' if dtype == 'float32' else 'integers of 32 bits'
    for decode in (decode_image, decode_pixels):
        with pytest.raises(UnreadableImageError, match=rf"'.*depth.tif'.*{kind}"):
            decode(data, str(path))
    with pytest.raises(UnreadableImageError, match='8 bits'):
        LoadImage()({'img_path': str(path)})
    (finding,) = check_files(inspect_files([str(path)]))
    assert (finding.check, finding.severity) == ('unknown values', 'error')
    assert '8 bits' in finding.advice


def test_an_image_in_memory_is_refused_likewise_and_else_not_copied():
    with pytest.raises(ValueRangeError, match='floats'):
        to_rgb(Image.new('F', (2, 2)))
    image = Image.fromarray(noise())
    assert to_rgb(image).image is image


def test_the_doctor_reports_what_is_converted_and_turned(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    crop = Image.fromarray(noise(64, 32))
    files = {
        'plain.png': encode(crop),
        'turned.png': encode(Image.fromarray(noise(32, 64)), exif=exif),
        'deep.png': gray_png(np.zeros((64, 32), dtype=np.uint16)),
        'clear.png': encode(Image.new('RGBA', (32, 64))),
        'gray.png': encode(crop.convert('L')),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    facts = {name: inspect_bytes(data) for name, data in files.items()}
    found = {f.check: f.examples for f in check_shapes('here', facts, facts)}
    deep = facts['deep.png'].mode
    assert found == {
        'odd colors': ('clear.png (RGBA)', 'gray.png (L)'),
        '16 bits': (f'deep.png ({deep})',),
        'turned by EXIF': ('turned.png (orientation 6)',),
        'transparent': ('clear.png',),
    }


def test_a_cache_of_the_former_decoding_is_not_read(tmp_path):
    """It may hold images on their side."""
    Image.fromarray(noise()).save(tmp_path / 'a.png')
    key = CacheKey('set', (4, 4), 'bilinear')
    build_cache(tmp_path, key, [str(tmp_path / 'a.png')], progress=False)
    (index,) = tmp_path.glob('*.json')
    content = json.loads(index.read_text('utf-8'))
    index.write_text(json.dumps({**content, 'format': 1}), 'utf-8')
    with pytest.raises(CacheError, match='format 1'):
        ImageCache(tmp_path, key)
    made = build_cache(tmp_path, key, [str(tmp_path / 'a.png')], progress=False)
    assert made.made == 1
