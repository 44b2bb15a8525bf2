"""Part maps of images on disk, and the parts that words name."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hplreid.synthpeds import (
    PRESETS,
    describe_images,
    make_synthpeds,
    person_mask,
    render_part_maps,
)
from hplreid.synthpeds.captions import find_named_parts, parts_named
from hplreid.synthpeds.figure.body_parts import Part
from hplreid.synthpeds.part_maps import render_again
from hplreid.synthpeds.person_image import make_image
from hplreid.synthpeds.sizes import FIRST_IDENTITY


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp('peds') / 'tiny'
    make_synthpeds(root, 'tiny', workers=1, progress=False)
    return root


def test_maps_are_those_of_the_rendering(tiny):
    paths = sorted((tiny / 'Market-1501-v15.09.15' / 'query').glob('*.jpg'))
    assert len(paths) == 12
    before = [path.read_bytes() for path in paths]
    maps = render_part_maps(tiny, paths)
    assert [path.read_bytes() for path in paths] == before
    for number in (0, 5, 11):
        identity = FIRST_IDENTITY['test'] + number // 2
        images = [
            make_image(0, identity, k, PRESETS['default'], size=(64, 32))
            for k in (0, 1)
        ]
        assert any(np.array_equal(maps[number], image.parts) for image in images)
    shares = [person_mask(parts).mean() for parts in maps]
    assert 0.1 < min(shares) < max(shares) < 0.7


def test_captioned_images_show_what_their_captions_name(tiny):
    entries = json.loads((tiny / 'CUHK-PEDES' / 'reid_raw.json').read_text())
    images = tiny / 'CUHK-PEDES' / 'imgs'
    maps = render_part_maps(tiny, [images / e['file_path'] for e in entries])
    named = seen = 0
    for entry, parts in zip(entries, maps, strict=True):
        for caption in entry['captions']:
            words = re.findall(r'[a-z]+|[^a-z ]', caption.lower())
            for found in find_named_parts(words):
                named += 1
                seen += bool(np.isin(parts, found.parts).any())
    assert named > 150
    assert seen == named


def test_what_is_hidden_is_what_a_rendering_without_occluders_shows():
    clear = replace(PRESETS['default'], occlusion=0.0)
    blocked = replace(PRESETS['default'], occlusion=1.0)
    hidden = []
    for number in range(12):
        identity = FIRST_IDENTITY['test'] + number
        whole = make_image(0, identity, 0, clear, size=(64, 32))
        image = make_image(0, identity, 0, blocked, size=(64, 32))
        assert whole.occluder == ''
        assert whole.hidden == 0
        assert image.occluder
        before, after = person_mask(whole.parts), person_mask(image.parts)
        assert not (after & ~before).any()
        assert image.hidden == pytest.approx(1 - after.sum() / before.sum())
        hidden.append(image.hidden)
    assert max(hidden) > 0.1


def test_a_table_says_what_images_and_captions_show(tiny):
    queries = sorted((tiny / 'Market-1501-v15.09.15' / 'query').glob('*.jpg'))
    captioned = sorted((tiny / 'CUHK-PEDES' / 'imgs' / 'test_query').glob('*.jpg'))
    rows = list(describe_images(tiny, [*queries, *captioned]))
    by_path = {row['path']: row for row in rows}
    assert len(by_path) == len(queries) + len(captioned)
    for path, image in zip(queries, render_again(tiny, queries), strict=True):
        row = by_path[path.relative_to(tiny).as_posix()]
        assert row['caption'] == ''
        assert row['view'] == image.view
        assert row['occluder'] == (image.occluder or 'none')
        share = round(100 * image.hidden)
        expected = '0 %' if share == 0 else '1 to 10 %' if share <= 10 else 'over 10 %'
        assert row['hidden'] == expected
    entries = json.loads((tiny / 'CUHK-PEDES' / 'reid_raw.json').read_text())
    captions = [c for e in entries if e['split'] == 'test' for c in e['captions']]
    assert sorted(row['caption'] for row in rows if row['caption']) == sorted(captions)


def test_an_image_that_was_changed_is_refused(tiny, tmp_path):
    root = tmp_path / 'changed'
    shutil.copytree(tiny, root)
    path, other, *_ = sorted(root.rglob('bounding_box_train/*.jpg'))
    Image.open(path).transpose(Image.Transpose.ROTATE_180).save(path)
    with pytest.raises(ValueError, match='is not the image that SynthPeds renders'):
        render_part_maps(root, [other, path])
    with pytest.raises(ValueError, match='is none of the images'):
        render_part_maps(root, [root / 'overview.png'])
    with pytest.raises(ValueError, match='is none of the images'):
        render_part_maps(root, [tmp_path / 'elsewhere.jpg'])
    manifest = root / 'manifest.json'
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 9'))
    with pytest.raises(ValueError, match='version 9'):
        render_part_maps(root, [path])
    with pytest.raises(FileNotFoundError, match='no manifest'):
        render_part_maps(tmp_path, [])


@pytest.mark.parametrize(
    ('word', 'parts'),
    [
        ('Sweatshirt', {Part.UPPER, Part.INNER, Part.PRINT}),
        ('slacks', {Part.LOWER}),
        ('trainers', {Part.SHOES}),
        ('handbag', {Part.BAG, Part.STRAP}),
        ('red', set()),
        ('dressed', set()),
    ],
)
def test_nouns_name_parts(word, parts):
    assert set(parts_named(word)) == parts


@pytest.mark.parametrize(
    ('caption', 'phrases'),
    [
        (
            'A man with short dark brown hair is dressed in a white long coat.',
            ['short dark brown hair', 'white long coat'],
        ),
        ('She has on a pair of navy jeans, boots', ['navy jeans', 'boots']),
        ('a red t-shirt', ['red t - shirt']),
        ('the man is walking', []),
    ],
)
def test_phrases_end_at_articles_verbs_and_signs(caption, phrases):
    words = re.findall(r'[a-z]+|[^a-z ]', caption.lower())
    found = find_named_parts(words)
    assert [' '.join(words[n.first : n.noun + 1]) for n in found] == phrases
