"""Inspecting image files."""

from io import BytesIO

from PIL import Image

from hplreid.datasets.doctor.checks.files import check_files
from hplreid.datasets.doctor.file_inspection import (
    FileFacts,
    inspect_bytes,
    inspect_files,
)


def encode(size=(20, 40), mode='RGB', kind='JPEG'):
    buffer = BytesIO()
    Image.effect_noise(size, 50).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def test_inspect_bytes():
    data = encode()
    fact = inspect_bytes(data)
    assert (fact.fault, fact.size, fact.mode) == (None, (20, 40), 'RGB')
    assert fact.digest != inspect_bytes(encode()).digest
    assert fact == inspect_bytes(bytes(data))
    assert inspect_bytes(b'').fault == 'empty file'
    assert inspect_bytes(b'<html>').fault == 'no image'
    png = encode(kind='PNG')
    for whole in (data, png):
        cut = inspect_bytes(whole[: len(whole) // 2])
        assert cut == FileFacts('broken image')
    assert inspect_bytes(encode(mode='CMYK')).mode == 'CMYK'


def test_files_are_grouped_by_fault_and_folder(tmp_path):
    names = [f'{folder}/{i}.jpg' for folder in 'ab' for i in range(7)]
    paths = [str(tmp_path / name) for name in names]
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / '0.jpg').write_bytes(encode())
    (tmp_path / 'a' / '1.jpg').mkdir()
    facts = inspect_files([*paths, paths[0]], workers=2)
    assert list(facts) == paths
    findings = check_files(facts)
    assert [(f.check, f.where, f.count) for f in findings] == [
        ('missing file', str(tmp_path / 'a'), 5),
        ('missing file', str(tmp_path / 'b'), 7),
        ('unreadable file', str(tmp_path / 'a'), 1),
    ]
    assert findings[1].examples == tuple(f'{i}.jpg' for i in range(5))
