"""Extraction: every readable image once, whatever was killed when."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from hplreid.apis import ReIDInferencer
from hplreid.apis.extraction import (
    extract_features,
    list_benchmark,
    list_given,
    list_table,
    read_feature_table,
)
from hplreid.apis.extraction.feature_table import FeatureTableError
from hplreid.apis.extraction.listing import Entry, ListingError
from hplreid.apis.extraction.parts import OtherExtractionError
from hplreid.datasets import UnreadableImageError
from hplreid.datasets.errors import AnnotationError, MissingDataError
from tests.test_tools.programs import ROOT


@pytest.fixture(scope='module')
def inferencer(tiny_runs):
    return ReIDInferencer(
        tiny_runs('HPL').published[0], precision='fp32', progress=False, batch_size=4
    )


@pytest.fixture
def crops(tmp_path):
    noise = np.random.default_rng(0)
    for number in range(11):
        pixels = noise.integers(256, size=(32, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f'{number:02d}.png')
    return tmp_path


@pytest.mark.parametrize('ending', ['.safetensors', '.parquet'])
@pytest.mark.parametrize('task', ['i2i', 't2i'])
def test_features_are_the_inferencers_with_paths_and_ids(
    inferencer, crops, ending, task
):
    entries = [
        Entry(path, f'p{number}', number % 2)
        for number, (path, *_) in enumerate(list_given([str(crops)]))
    ]
    out = crops / f'feats{ending}'
    assert extract_features(inferencer, entries, out, task, part=3) == {}
    found, features, meta = read_feature_table(out)
    assert found == entries
    expected = inferencer.embed_images(crops, task)
    np.testing.assert_allclose(features, expected, atol=1e-6)
    assert meta['task'] == task
    assert len(meta['weights_sha256']) == 64
    assert not (crops / f'feats{ending}.parts').exists()
    assert out.stat().st_mode & 0o044  # others may read it


def test_bad_images_are_listed_and_have_no_row(inferencer, crops):
    (crops / '03.png').write_bytes(b'no image')
    entries = [*list_given([str(crops)]), Entry(str(crops / 'gone.png'))]
    out = crops / 'feats.safetensors'
    failures = extract_features(inferencer, entries, out, part=4)
    assert [os.path.basename(name) for name in failures] == ['03.png', 'gone.png']
    assert "can't be decoded" in failures[str(crops / '03.png')]
    found, features, meta = read_feature_table(out)
    assert found == [e for e in entries if e.path not in failures]
    assert meta['failures'] == failures
    good = inferencer.embed_images([e.path for e in found])
    np.testing.assert_allclose(features, good, atol=1e-6)
    with pytest.raises(UnreadableImageError, match='03.png'):
        extract_features(inferencer, entries, out, part=4, strict=True, overwrite=True)


def test_what_is_done_is_not_done_again(inferencer, crops, monkeypatch):
    entries = list_given([str(crops)])
    out = crops / 'feats.safetensors'
    seen = []
    encode = ReIDInferencer.encode_images

    def counted(self, sources, *arguments):
        seen.append(len(sources))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return encode(self, sources, *arguments)

    monkeypatch.setattr(ReIDInferencer, 'encode_images', counted)
    with pytest.raises(KeyboardInterrupt):
        extract_features(inferencer, entries, out, part=4)
    assert not out.exists()
    assert extract_features(inferencer, entries, out, part=4) == {}
    assert seen == [4, 4, 3, 3]
    monkeypatch.undo()
    expected = inferencer.embed_images(crops)
    np.testing.assert_allclose(read_feature_table(out)[1], expected, atol=1e-6)


def test_shards_together_are_the_whole(inferencer, crops, monkeypatch):
    entries = list_given([str(crops)])
    (crops / '04.png').write_bytes(b'no image')
    extract_features(inferencer, entries, crops / 'one.safetensors', part=2)
    out, failures = crops / 'many.safetensors', {}
    for number in (2, 0, 1):
        failures.update(
            extract_features(inferencer, entries, out, part=2, shard=(number, 3))
        )
        assert not out.exists()
    assert list(failures) == [str(crops / '04.png')]
    monkeypatch.setattr(inferencer, 'encode_images', None)  # nothing is left to do
    assert extract_features(inferencer, entries, out, part=2) == failures
    one, many = (
        read_feature_table(crops / f'{n}.safetensors') for n in ('one', 'many')
    )
    assert one[0] == many[0]
    np.testing.assert_array_equal(one[1], many[1])
    assert not (crops / 'many.safetensors.parts').exists()


def test_what_a_shard_lacks_is_done_when_they_are_joined(inferencer, crops):
    entries = list_given([str(crops)])
    out = crops / 'feats.safetensors'
    extract_features(inferencer, entries, out, part=2, shard=(1, 2))
    extract_features(inferencer, entries, out, part=2)
    assert len(read_feature_table(out)[1]) == len(entries)


@pytest.mark.parametrize('shard', [(2, 2), (-1, 2), (0, 0)])
def test_a_shard_that_is_none(inferencer, crops, shard):
    with pytest.raises(ListingError, match='expected a number below the count'):
        extract_features(inferencer, [Entry('a')], crops / 'a.safetensors', shard=shard)


def test_shards_do_not_overwrite(inferencer, crops):
    out = crops / 'a.safetensors'
    with pytest.raises(ListingError, match="Shards can't overwrite: remove"):
        extract_features(inferencer, [Entry('a')], out, shard=(0, 2), overwrite=True)
    assert not list(crops.glob('*.parts'))


def test_parts_of_another_extraction_are_not_taken(inferencer, crops, monkeypatch):
    entries = list_given([str(crops)])
    out = crops / 'feats.safetensors'
    with monkeypatch.context() as patched:
        patched.setattr('hplreid.apis.extraction.extract.write_feature_table', None)
        with pytest.raises(TypeError):
            extract_features(inferencer, entries, out)
    with pytest.raises(OtherExtractionError, match='11 images for i2i'):
        extract_features(inferencer, entries, out, 't2i')
    assert extract_features(inferencer, entries, out, 't2i', overwrite=True) == {}
    with pytest.raises(ListingError, match='exists: give --overwrite'):
        extract_features(inferencer, entries, out)


def test_kill_9_leaves_what_was_done(tiny_runs, crops, tmp_path):
    """The program is killed again and again, and each time goes on."""
    for copy in range(40):
        for number in range(11):
            os.link(crops / f'{number:02d}.png', crops / f'{copy:02d}_{number:02d}.png')
    out = tmp_path / 'feats.safetensors'
    program = f"""
import time
import hplreid.apis.extraction.extract as module
from hplreid.apis import ReIDInferencer
from tests.test_models.test_reid.tiny import add_nano_arch
from pathlib import Path
folder = Path({str(tmp_path)!r}) / 'archs'
folder.mkdir(exist_ok=True)
add_nano_arch(folder)
encode = module._encode_part
def slow(*arguments):
    encode(*arguments)
    time.sleep(0.15)
module._encode_part = slow
inferencer = ReIDInferencer(
    {str(tiny_runs('HPL').published[0])!r}, precision='fp32', progress=False)
from hplreid.apis.extraction import list_given
module.extract_features(inferencer, list_given([{str(crops)!r}]), {str(out)!r}, part=20)
"""
    done = []
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, '-c', program], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        parts = tmp_path / 'feats.safetensors.parts'
        before = len(list(parts.glob('0*.safetensors')))
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if len(list(parts.glob('0*.safetensors'))) >= before + 7:
                process.send_signal(signal.SIGKILL)
            time.sleep(0.02)
        process.wait()
        done.append(len(list(parts.glob('0*.safetensors'))))
        if out.exists():
            break
    assert len(done) >= 3
    assert done[:-1] == sorted(set(done[:-1]))  # each run began where the last ended
    entries, features, _ = read_feature_table(out)
    assert len(entries) == len(features) == 41 * 11
    assert [e.path for e in entries] == [e.path for e in list_given([str(crops)])]


def test_a_table_gives_ids(tmp_path):
    (tmp_path / 't.csv').write_text(
        'path,pid,camid,caption\na.png,anna,2,x\nb.png,,,\na.png,anna,2,y\n'
    )
    table = str(tmp_path / 't.csv')
    assert list_table(table) == [
        Entry(str(tmp_path / 'a.png'), 'anna', 2),
        Entry(str(tmp_path / 'b.png')),
    ]
    assert list_table(table, '/data')[1].path == '/data/b.png'


@pytest.mark.parametrize(
    ('text', 'error', 'message'),
    [
        ('pid\nanna\n', AnnotationError, "no column path; found: 'pid'"),
        ('path\n', ListingError, 'has no rows'),
        ('path,pid\n,anna\n', ListingError, "line 2: path=''"),
        ('path,camid\na.png,left\n', ListingError, "camid='left', expected a whole"),
    ],
)
def test_a_bad_table_is_refused(tmp_path, text, error, message):
    (tmp_path / 't.csv').write_text(text)
    with pytest.raises(error, match=message):
        list_table(str(tmp_path / 't.csv'))


def test_a_benchmark_gives_its_images(tiny_runs):
    run = tiny_runs('HPL')
    entries = list_benchmark(run.config, 'i2i')
    tested = run.tested[1]['i2i']
    assert [e.path for e in entries] == [*tested.query_names, *tested.gallery_names]
    pids = [*tested.query_pids, *tested.gallery_pids]
    assert [e.pid for e in entries] == [str(pid) for pid in pids]
    gallery = [e.path for e in list_benchmark(run.config, 't2i')]
    assert gallery == list(run.tested[1]['t2i'].gallery_names)
    with pytest.raises(ListingError, match="No benchmark 'i2x'.*Did you mean 'i2i'"):
        list_benchmark(run.config, 'i2x')


def test_what_can_not_be_written_is_refused_first(inferencer, crops, monkeypatch):
    entries = list_given([str(crops)])
    with pytest.raises(FeatureTableError, match=r'ends in \.safetensors or \.parquet'):
        extract_features(inferencer, entries, crops / 'feats.npz')
    with pytest.raises(ListingError, match='no images'):
        extract_features(inferencer, [], crops / 'feats.safetensors')
    gone = [Entry(str(crops / 'gone.png'))]
    with pytest.raises(ListingError, match='None of 1 images can be read'):
        extract_features(inferencer, gone, crops / 'feats.safetensors')
    with pytest.raises(MissingDataError):
        list_given([str(crops / 'gone.png')])
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    with pytest.raises(FeatureTableError, match='pip install'):
        extract_features(inferencer, entries, crops / 'feats.parquet')
