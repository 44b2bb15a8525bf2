"""SynthPeds: geometry, wardrobe, captions, determinism and the files on disk."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from hplreid.synthpeds import Difficulty, make_synthpeds, synthpeds_problems
from hplreid.synthpeds.camera.sphere_tracing import trace_rays, compute_hits
from hplreid.synthpeds.captions.caption import MAX_WORDS, MIN_WORDS, make_caption
from hplreid.synthpeds.captions.visible_facts import MIN_VISIBLE_AREA
from hplreid.synthpeds.figure.body_parts import Part
from hplreid.synthpeds.figure.signed_distance import Shape, box, segment
from hplreid.synthpeds.person_image import make_image
from hplreid.synthpeds.sizes import SIZES
from hplreid.synthpeds.wardrobe.colors import (
    COLOR_ANCHORS,
    lab_to_rgb,
    linear_to_srgb,
    nearest_color_word,
    rgb_to_lab,
    draw_shade,
)
from hplreid.synthpeds.wardrobe.identity import make_identity
from hplreid.synthpeds.wardrobe.attributes import make_attributes
from hplreid.synthpeds.writing.layouts import plan_shots

MARKET = 'Market-1501-v15.09.15'


@pytest.fixture(autouse=True, scope='module')
def one_thread():
    """Tensors are small here: more threads only wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def tiny(tmp_path_factory, one_thread):
    """A finished dataset of the smallest size, made in this process."""
    out = tmp_path_factory.mktemp('synthpeds') / 'tiny'
    manifest = make_synthpeds(out, 'tiny', workers=1, progress=False)
    return out, manifest


@pytest.fixture(scope='module')
def images(one_thread):
    """A few images of many people."""
    with torch.inference_mode():
        return [
            (make_image(3, identity_number, identity_number % 6, Difficulty()), identity_number % 6)
            for identity_number in range(0, 96, 2)
        ]


# Geometry


def test_capsule_distance_matches_formula():
    rng = np.random.default_rng(0)
    a, b, radius = np.array([0.1, 0.2, -0.1]), np.array([-0.3, 0.9, 0.4]), 0.12
    points = rng.normal(0, 1, (200, 3))
    expected = []
    for p in points:  # the distance to a segment, point by point
        t = min(1.0, max(0.0, (p - a) @ (b - a) / ((b - a) @ (b - a))))
        expected.append(np.linalg.norm(p - a - t * (b - a)) - radius)
    shape = Shape([segment(a, b, (radius, radius), Part.ARM)])
    found = shape(torch.tensor(points.T, dtype=torch.float32))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_box_distance_matches_formula_after_a_turn():
    angle = 0.7
    turn = np.array(
        [
            [np.cos(angle), 0, np.sin(angle)],
            [0, 1, 0],
            [-np.sin(angle), 0, np.cos(angle)],
        ]
    )
    half, radius, center = np.array([0.2, 0.3, 0.1]), 0.05, np.array([0.3, 1.0, 0.2])
    shape = Shape([box(center, half, radius, Part.BAG)], turn)
    points = np.random.default_rng(1).uniform(-2, 2, (200, 3))
    local = points @ turn - center
    outside = np.maximum(np.abs(local) - half, 0)
    expected = np.linalg.norm(outside, axis=1) - radius
    found = shape(torch.tensor(points.T, dtype=torch.float32)).numpy()
    far = expected > 0
    np.testing.assert_allclose(found[far], expected[far], atol=1e-5)


def test_stretched_shape_never_overestimates():
    # An ellipsoid with half axes 0.3, 0.2, 0.1: compare with dense surface points.
    shape = Shape(
        [segment([0, -1e-4, 0], [0, 1e-4, 0], (0.2, 0.2), Part.UPPER, (1.5, 0.5))]
    )
    rng = np.random.default_rng(2)
    sphere = rng.normal(size=(20000, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    surface_points = sphere * [0.3, 0.2, 0.1]
    points = rng.uniform(-1, 1, (60, 3))
    points = points[np.linalg.norm(points / [0.3, 0.2, 0.1], axis=1) > 1.1]
    true = np.linalg.norm(points[:, None] - surface_points, axis=2).min(1)
    found = shape(torch.tensor(points.T, dtype=torch.float32)).numpy()
    assert (found <= true + 1e-3).all()
    assert (found > 0).all()


def test_rays_hit_a_sphere_where_algebra_says():
    center, radius = np.array([0.1, 1.0, 0.0]), 0.4
    point = segment(center, center + [0, 1e-5, 0], (radius, radius), Part.FACE)
    shape = Shape([point])
    rng = np.random.default_rng(3)
    origin = np.array([0.0, 1.5, 5.0])
    target = center + rng.uniform(-0.6, 0.6, (300, 3))
    rays = target - origin
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    along = (center - origin) @ rays.T
    square = radius**2 - ((center - origin) @ (center - origin) - along**2)
    start = torch.tensor(origin, dtype=torch.float32)[:, None]
    direction = torch.tensor(rays.T, dtype=torch.float32)
    near, far = torch.full((300,), 3.0), torch.full((300,), 7.0)
    found, depth = trace_rays(shape, start, direction, near, far)
    clear = np.abs(square) > 0.01  # grazing rays may go either way
    hit = np.zeros(300, bool)
    hit[found.numpy()] = True
    np.testing.assert_array_equal(hit[clear], square[clear] > 0)
    sure = clear[found.numpy()]
    expected = along - np.sqrt(np.maximum(square, 0))
    np.testing.assert_allclose(
        depth.numpy()[sure], expected[found.numpy()][sure], atol=0.01
    )
    where = start + direction[:, found] * depth
    light = torch.tensor([[0.0], [1.0], [0.0]])
    normal = compute_hits(shape, found, where, light).normal.numpy()
    radial = where.numpy() - center[:, None]
    radial /= np.linalg.norm(radial, axis=0)
    assert ((normal * radial).sum(0)[sure] > 0.999).all()


def test_figure_stands_upright_in_the_crop():
    dials = Difficulty(occlusion=0, framing=0)
    for identity_number in range(6):
        image = make_image(1, identity_number, 0, dials)
        rows = np.nonzero((image.parts > 0).any(1))[0]
        share = (rows[-1] - rows[0] + 1) / len(image.parts)
        assert 0.8 < share <= 1.0
        middle = {
            part: np.nonzero(image.parts == part)[0].mean()
            for part in (Part.UPPER, Part.SHOES)
            if (image.parts == part).any()
        }
        assert middle[Part.UPPER] < middle[Part.SHOES]


# Colors and clothes


def test_lab_round_trip_and_known_values():
    rgb = np.random.default_rng(0).uniform(0, 255, (50, 3))
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-3)
    # Reference values of sRGB red and mid gray under D65.
    np.testing.assert_allclose(
        rgb_to_lab([255, 0, 0]), [53.24, 80.09, 67.20], atol=0.05
    )
    np.testing.assert_allclose(rgb_to_lab([119, 119, 119])[0], 50.03, atol=0.05)


@pytest.mark.parametrize('word', sorted(COLOR_ANCHORS))
def test_shades_keep_their_word(word):
    rng = np.random.default_rng(5)
    shades = [draw_shade(rng, word) for _ in range(25)]
    assert {nearest_color_word(rgb) for rgb in shades} == {word}
    assert len({tuple(np.round(rgb)) for rgb in shades}) > 10


def test_colors_of_people_match_their_words():
    for identity_number in range(40):
        person = make_identity(7, identity_number, Difficulty())
        attributes = person.attributes
        pairs = {'upper': attributes.upper_color, 'lower': attributes.lower_color}
        pairs |= {'bag': attributes.bag_color, 'shoes': attributes.shoe_color}
        for slot, word in pairs.items():
            assert nearest_color_word(linear_to_srgb(person.rgb[slot]) * 255) == word


def test_crowding_shares_words_but_nothing_else():
    same = [make_attributes(0, n, 1.0) for n in range(4)]
    assert len(set(same)) == 1
    shades = {
        tuple(make_identity(0, n, Difficulty(1.0)).rgb['upper']) for n in range(4)
    }
    heights = {make_identity(0, n, Difficulty(1.0)).build.height for n in range(4)}
    assert len(shades) == len(heights) == 4
    groups = [len({make_attributes(0, 4 * c + n, 0.0) for n in range(4)}) for c in range(20)]
    assert np.mean(groups) > 3.5


def test_clothes_go_together():
    for identity_number in range(400):
        attributes = make_attributes(0, identity_number, 0.5)
        assert not attributes.inner or attributes.upper in ('jacket', 'coat')
        assert (attributes.lower == 'none') == (attributes.upper == 'dress')
        if attributes.lower == 'jeans':
            assert attributes.lower_color in ('blue', 'navy', 'light blue', 'black')


@pytest.mark.parametrize('name', ['crowding', 'camera', 'occlusion'])
def test_difficulty_rejects_what_is_out_of_range(name):
    with pytest.raises(ValueError, match=name):
        Difficulty(**{name: -0.1})


# Captions

_SPOKEN = {
    r'\b(backpack|rucksack)\b': (Part.BAG, Part.STRAP),
    r'\b(handbag|hand bag|bag in the hand)\b': (Part.BAG,),
    r'\b(shoulder bag|crossbody bag|messenger bag)\b': (Part.BAG,),
    r'\bstraps?\b': (Part.STRAP,),
    r'\b(cap|beanie|hat)\b': (Part.HAT,),
    r'\b(glasses|sunglasses)\b': (Part.GLASSES,),
    r'\b(print|logo|graphic|design)\b': (Part.PRINT,),
    r'\b(sneakers|trainers|shoes|boots)\b': (Part.SHOES,),
    r'\bhair\b': (Part.HAIR,),
    r'\b(jeans|trousers|pants|slacks|shorts|skirt)\b': (Part.LOWER,),
    r'\b(underneath|open)\b': (Part.INNER, Part.UPPER),
}


def test_captions_speak_of_visible_parts_only(images):
    for image, index in images:
        for which in range(2):
            text = make_caption(image, 3, index, which, Difficulty()).text.lower()
            for pattern, parts in _SPOKEN.items():
                if re.search(pattern, text):
                    seen = [image.area(p) >= MIN_VISIBLE_AREA[p] for p in parts]
                    assert any(seen), (text, pattern)


def test_part_map_decides_what_is_said(images):
    """Painting a part out of the map removes it from every caption."""
    erased = 0
    for image, index in images:
        before = make_caption(image, 3, index, 0, Difficulty(omission=0))
        if 'shoes' not in before.topics:
            continue
        parts = np.where(image.parts == Part.SHOES, 0, image.parts)
        bare = type(image)(**{**vars(image), 'parts': parts})
        after = make_caption(bare, 3, index, 0, Difficulty(omission=0))
        assert 'shoes' not in after.topics
        erased += 1
    assert erased > 10


def test_caption_lengths_and_variety(images):
    texts = [
        make_caption(image, 3, index, which, Difficulty()).text
        for image, index in images
        for which in range(2)
    ]
    counts = [len(text.split()) for text in texts]
    assert min(counts) >= MIN_WORDS
    assert max(counts) <= MAX_WORDS
    assert len(set(texts)) == len(texts)
    assert any(text[0].islower() for text in texts)
    assert any(text[0].isupper() for text in texts)


def test_junk_still_gets_words():
    image = make_image(0, 5, 1000, Difficulty(), junk=True)
    text = make_caption(image, 0, 1000, 0, Difficulty()).text
    assert MIN_WORDS <= len(text.split()) <= MAX_WORDS


# The dataset


def test_images_depend_on_their_numbers_alone():
    one = make_image(0, 17, 2, Difficulty())
    make_image(0, 3, 1, Difficulty())
    two = make_image(0, 17, 2, Difficulty())
    np.testing.assert_array_equal(one.pixels, two.pixels)
    other = make_image(1, 17, 2, Difficulty())
    assert (one.pixels != other.pixels).any()


def test_workers_do_not_change_a_byte(tiny, tmp_path):
    out, manifest = tiny
    again = make_synthpeds(tmp_path / 'two', 'tiny', workers=2, progress=False)
    assert again == manifest
    files = sorted(p.relative_to(out) for p in out.rglob('*') if p.is_file())
    there = sorted(
        p.relative_to(tmp_path / 'two')
        for p in (tmp_path / 'two').rglob('*')
        if p.is_file()
    )
    assert files == there
    for name in files:
        assert (out / name).read_bytes() == (tmp_path / 'two' / name).read_bytes()


def test_sizes_agree_on_the_people_they_share():
    def market(size):
        return {
            (shot.identity_number, shot.index): path
            for shot in plan_shots(SIZES[size], 0)
            for path in shot.paths
            if path.startswith(MARKET) and not shot.junk
        }

    small, big = market('default'), market('large')
    assert small
    assert set(small.items()) <= set(big.items())


@pytest.mark.parametrize('size', sorted(SIZES))
def test_plans_hold_what_they_promise(size):
    shots = plan_shots(SIZES[size], 0)
    paths = [path for shot in shots for path in shot.paths]
    assert len(set(paths)) == len(paths)
    splits = {'train': set(), 'val': set(), 'test': set(), 'gallery': set()}
    for shot in shots:
        for path in shot.paths:
            if 'bounding_box_train' in path:
                splits['train'].add(shot.identity_number)
            elif '/query/' in path:
                splits['test'].add(shot.identity_number)
            elif '/bounding_box_test/0000_' in path:
                splits['gallery'].add(shot.identity_number)
        if shot.split:
            splits[shot.split].add(shot.identity_number)
    names = list(splits)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert not splits[one] & splits[other]


def test_benchmark_and_pretraining_share_nobody():
    everybody = {s.identity_number for n in ('default', 'large') for s in plan_shots(SIZES[n], 0)}
    assert not everybody & {s.identity_number for s in plan_shots(SIZES['pretrain'], 0)}


def test_market_layout(tiny):
    out, manifest = tiny
    size = SIZES['tiny']
    pattern = re.compile(r'^(-1|\d{4})_c([1-6])s[1-6]_\d{6}_\d{2}\.jpg$')
    people, seen = {}, {}
    for folder in ('bounding_box_train', 'bounding_box_test', 'query'):
        names = [path.name for path in (out / MARKET / folder).iterdir()]
        assert all(pattern.match(name) for name in names)
        assert manifest['files'][f'{MARKET}/{folder}'] == len(names)
        people[folder] = {int(name.split('_')[0]) for name in names}
        seen[folder] = [pattern.match(name).groups() for name in names]
    assert len(people['bounding_box_train']) == size.train
    assert len(people['query']) == size.test
    assert not people['bounding_box_train'] & people['query']
    assert people['bounding_box_test'] == people['query'] | {-1, 0}
    for pid, camera in seen['query']:  # every query has an answer from elsewhere
        others = {c for p, c in seen['bounding_box_test'] if p == pid}
        assert others - {camera}


def test_cuhk_layout(tiny):
    out, _ = tiny
    folder = out / 'CUHK-PEDES'
    records = json.loads((folder / 'reid_raw.json').read_text())
    keys = {'split', 'captions', 'file_path', 'processed_tokens', 'id'}
    assert all(set(record) == keys for record in records)
    ids = {split: set() for split in ('train', 'val', 'test')}
    for record in records:
        ids[record['split']].add(record['id'])
        assert (folder / 'imgs' / record['file_path']).is_file()
        assert len(record['captions']) == len(record['processed_tokens']) == 2
        for caption in record['captions']:
            assert MIN_WORDS <= len(caption.split()) <= MAX_WORDS
    joined = sorted(ids['train']) + sorted(ids['val']) + sorted(ids['test'])
    assert joined == list(range(1, len(joined) + 1))
    on_disk = sum(1 for _ in (folder / 'imgs').rglob('*.jpg'))
    assert on_disk == len(records)
    shared = [r for r in records if r['file_path'].startswith('Market/')]
    people = {r['file_path'].split('/')[1][:4] for r in shared}
    assert len(people) == SIZES['tiny'].shared
    for record in shared:  # the very images of the other task
        name = record['file_path'].split('/')[1]
        twin = out / MARKET / 'bounding_box_train' / name
        assert (folder / 'imgs' / record['file_path']).read_bytes() == twin.read_bytes()


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


def test_finished_data_is_left_alone(tiny):
    out, manifest = tiny
    before = (out / 'manifest.json').stat().st_mtime_ns
    assert make_synthpeds(out, 'tiny', workers=1, progress=False) == manifest
    assert (out / 'manifest.json').stat().st_mtime_ns == before
    assert synthpeds_problems(out, 'tiny', 0) == []


def test_other_settings_are_refused(tiny):
    out, _ = tiny
    with pytest.raises(FileExistsError, match='seed is 0, asked for 5'):
        make_synthpeds(out, 'tiny', seed=5, workers=1, progress=False)
    assert any('size' in problem for problem in synthpeds_problems(out, 'default'))


def test_foreign_folders_are_never_replaced(tmp_path):
    (tmp_path / 'thesis.txt').write_text('years of work')
    with pytest.raises(FileExistsError, match='was not made by SynthPeds'):
        make_synthpeds(tmp_path, 'tiny', overwrite=True, progress=False)
    assert (tmp_path / 'thesis.txt').exists()


def test_interrupted_run_is_not_taken_for_finished(tmp_path, monkeypatch):
    from hplreid.synthpeds.writing import writer

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, 'take_all', stop)
    with pytest.raises(KeyboardInterrupt):
        make_synthpeds(tmp_path / 'data', 'tiny', workers=1, progress=False)
    assert list(tmp_path.iterdir()) == []
    assert synthpeds_problems(tmp_path / 'data', 'tiny')


def test_damage_is_noticed_and_repaired(tiny, tmp_path):
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
def test_bad_arguments_are_named(tmp_path, argument, value):
    with pytest.raises(ValueError, match=str(value)):
        make_synthpeds(tmp_path / 'x', **{argument: value})
