"""Damaged files: seeded, each by one of several kinds of damage."""

import copy
import io
import json
import random
import struct
from collections.abc import Callable

import numpy as np
from PIL import Image

FORMATS = ('JPEG', 'PNG', 'GIF', 'BMP', 'TIFF', 'WEBP', 'PPM', 'ICO', 'TGA')
MODES = ('RGB', 'L', 'P', 'CMYK', '1', 'I;16', 'RGBA', 'LA')
SIDES = (2, 255, 4096, 30_000, 65_535, 100_000)
CELLS = ('', ' ', '-1', '1e9', 'nan', '"', '\0', 'é', '../x', '9' * 5000)
VALUES = (None, True, -1, 0, 1.5, 10**400, '', ' ', 'nan', '\ud800', '\0', [], {}, [[]])


def make_image(rng: random.Random, kind: str | None = None, mode: str = 'RGB') -> bytes:
    """Return the bytes of a small image of noise."""
    noise = np.random.default_rng(rng.getrandbits(32)).integers(
        256, size=(rng.randrange(8, 70), rng.randrange(8, 50), 3), dtype=np.uint8
    )
    image, file = Image.fromarray(noise), io.BytesIO()
    image = Image.fromarray(noise[..., 0].astype('u2')) if mode == 'I;16' else image
    image = image if mode == image.mode else image.convert(mode)
    image.save(file, kind or rng.choice(('JPEG', 'PNG')))
    return file.getvalue()


def cut(rng: random.Random, data: bytes) -> bytes:
    """Keep the beginning."""
    return data[: rng.randrange(len(data))]


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    """Turn a few bits over."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def zero(rng: random.Random, data: bytes) -> bytes:
    """Write zeros over a part, as a lost block of a disk."""
    start = rng.randrange(len(data))
    length = rng.randrange(1, len(data))
    return (
        data[:start] + bytes(len(data[start : start + length])) + data[start:][length:]
    )


def shuffle(rng: random.Random, data: bytes) -> bytes:
    """Put a part into another place."""
    first, second = sorted(rng.sample(range(len(data)), 2))
    return data[second:] + data[first:second] + data[:first]


def damage_image(seed: int) -> tuple[str, bytes]:
    """Return a kind of damage, and the bytes of an image that has it."""
    rng = random.Random(seed)
    kind = rng.choice(
        ('cut', 'flip', 'zero', 'shuffle', 'format', 'mode', 'size', 'text', 'empty')
    )
    data = make_image(rng)
    if kind == 'format':
        data = make_image(rng, rng.choice(FORMATS))
        return kind, rng.choice((data, flip_bits(rng, data), cut(rng, data)))
    if kind == 'mode':
        mode = rng.choice(MODES)
        return kind, make_image(rng, 'JPEG' if mode == 'CMYK' else 'PNG', mode)
    if kind == 'size':
        return kind, _claim_size(rng, make_image(rng, rng.choice(('JPEG', 'PNG'))))
    if kind == 'text':
        return kind, rng.choice(
            (b'<html>404</html>', b'version https://git-lfs\n', data[::-1])
        )
    if kind == 'empty':
        return kind, bytes(rng.choice((0, 1, 1000)))
    change = {'cut': cut, 'flip': flip_bits, 'zero': zero, 'shuffle': shuffle}[kind]
    return kind, change(rng, data)


def _claim_size(rng: random.Random, data: bytes) -> bytes:
    """Write another size into the header."""
    width, height = rng.choice(SIDES), rng.choice(SIDES)
    if data.startswith(b'\x89PNG'):
        return data[:16] + struct.pack('>II', width, height) + data[24:]
    at = data.index(b'\xff\xc0') + 5
    size = struct.pack('>HH', min(height, 65_535), min(width, 65_535))
    return data[:at] + size + data[at + 4 :]


BYTES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    'cut': cut,
    'flip': flip_bits,
    'zero': zero,
    'shuffle': shuffle,
    'utf-16': lambda _, data: data.decode().encode('utf-16'),
    'latin-1': lambda _, data: 'ä'.encode('latin-1') + data,
    'mark': lambda _, data: b'\xef\xbb\xbf' + data,
    'nested': lambda rng, data: b'[' * rng.choice((1, 100_000)) + data,
    'twice': lambda _, data: data + data,
    'empty': lambda rng, _: b' ' * rng.randrange(3),
}


def damage_json(seed: int, entries: list[dict]) -> tuple[str, bytes]:
    """Return a kind of damage, and the bytes of entries that have it."""
    rng = random.Random(seed)
    kind = rng.choice([*BYTES, 'value', 'value', 'value', 'key', 'key', 'entry'])
    if kind in BYTES:
        return kind, BYTES[kind](rng, json.dumps(entries).encode())
    changed = copy.deepcopy(entries)
    for _ in range(rng.choice((1, 1, 4))):
        entry = rng.choice([e for e in changed if isinstance(e, dict)] or [{}])
        key = rng.choice([*entry, 'more'])
        if kind == 'key':
            entry.pop(key, None)
        elif kind == 'value':
            inner = entry.get(key)
            if isinstance(inner, list) and inner and rng.random() < 0.5:
                inner[rng.randrange(len(inner))] = copy.deepcopy(rng.choice(VALUES))
            else:
                entry[key] = copy.deepcopy(rng.choice(VALUES))
        else:
            changed[rng.randrange(len(changed))] = copy.deepcopy(rng.choice(VALUES))
    return kind, json.dumps(changed).encode()


def damage_csv(seed: int, rows: list[dict]) -> tuple[str, bytes]:
    """Return a kind of damage, and the bytes of a table that has it."""
    rng = random.Random(seed)
    kind = rng.choice([*BYTES, 'cell', 'cell', 'cell', 'column', 'header', 'width'])
    columns = list(rows[0])
    table = [columns, *([row[c] for c in columns] for row in rows)]
    if kind == 'cell':
        line = rng.choice(table)
        value = rng.choice(
            ('', ' ', '-1', '1e9', 'nan', '"', '\0', 'é', '../x', '9' * 5000)
        )
        line[rng.randrange(len(line))] = value
    elif kind == 'column':
        place = rng.randrange(len(columns))
        table = [line[:place] + line[place + 1 :] for line in table]
    elif kind == 'header':
        table[0] = rng.choice(
            ([columns[0]] * len(columns), columns[:-1], table[1], [''])
        )
    elif kind == 'width':
        place = rng.randrange(1, len(table))
        table[place] = rng.choice((table[place][:-1], [*table[place], 'more'], ['']))
    data = '\n'.join(','.join(map(str, line)) for line in table).encode()
    return kind, BYTES[kind](rng, data) if kind in BYTES else data
