"""Datasets are reproducible, complete, and never overwrite anything foreign."""

import shutil

import numpy as np
import pytest
from PIL import Image

from hplreid.synthpeds import SIZES, make_synthpeds, synthpeds_problems
from hplreid.synthpeds.writing import plan_shots, writer
from hplreid.synthpeds.writing.layouts import MARKET


def test_workers_do_not_change_a_byte(tiny, tmp_path):
    out, manifest = tiny
    again = make_synthpeds(tmp_path / 'two', 'tiny', workers=2, progress=False)
    assert again == manifest
    files = sorted(p.relative_to(out) for p in out.rglob('*') if p.is_file())
    other = tmp_path / 'two'
    assert files == sorted(
        p.relative_to(other) for p in other.rglob('*') if p.is_file()
    )
    for name in files:
        assert (out / name).read_bytes() == (other / name).read_bytes()


def test_images_open_with_the_right_shape(tiny):
    out, _ = tiny
    height, width = SIZES['tiny'].shape
    for path in (out / MARKET / 'query').iterdir():
        with Image.open(path) as image:
            assert image.size == (width, height)
            assert np.asarray(image).std() > 5
    with Image.open(out / 'overview.png') as image:
        assert image.width > 600
        image.load()


def test_finished_dataset_is_not_made_again(tiny):
    out, manifest = tiny
    before = (out / 'manifest.json').stat().st_mtime_ns
    assert make_synthpeds(out, 'tiny', workers=1, progress=False) == manifest
    assert (out / 'manifest.json').stat().st_mtime_ns == before
    assert synthpeds_problems(out, 'tiny', 0) == []


def test_dataset_with_other_settings_is_an_error(tiny):
    out, _ = tiny
    with pytest.raises(FileExistsError, match='seed is 0, asked for 5'):
        make_synthpeds(out, 'tiny', seed=5, workers=1, progress=False)
    assert any('size' in problem for problem in synthpeds_problems(out, 'default'))


def test_foreign_folders_are_never_replaced(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years of work')
    with pytest.raises(FileExistsError, match='was not made by SynthPeds'):
        make_synthpeds(tmp_path, 'tiny', overwrite=True, progress=False)
    assert (tmp_path / 'thesis.txt').exists()


def test_interrupted_run_leaves_no_dataset(tmp_path, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, 'render_jobs', stop)
    with pytest.raises(KeyboardInterrupt):
        make_synthpeds(tmp_path / 'data', 'tiny', workers=1, progress=False)
    assert not (tmp_path / 'data').exists()
    assert synthpeds_problems(tmp_path / 'data', 'tiny')


def test_damage_is_noticed_and_not_overwritten(tiny, tmp_path):
    out, manifest = tiny
    copy = tmp_path / 'copy'
    shutil.copytree(out, copy)
    next((copy / MARKET / 'query').iterdir()).unlink()
    assert any('query' in problem for problem in synthpeds_problems(copy, 'tiny'))
    with pytest.raises(FileExistsError, match='--overwrite'):
        make_synthpeds(copy, 'tiny', workers=1, progress=False)
    (copy / 'manifest.json').unlink()
    assert synthpeds_problems(copy, 'tiny')
    assert manifest['pictures'] == len(plan_shots(SIZES['tiny'], 0))


@pytest.mark.parametrize(
    ('argument', 'value'),
    [('size', 'huge'), ('workers', 0), ('seed', -1), ('difficulty', 'impossible')],
)
def test_rejected_arguments_are_named(tmp_path, argument, value):
    with pytest.raises(ValueError, match=str(value)):
        make_synthpeds(tmp_path / 'x', **{argument: value})
