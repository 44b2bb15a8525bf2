"""The cache of resized images: same pixels, and nothing stale, torn or unpickled."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
import torchvision.transforms as T
from PIL import Image
from torch.utils.data import DataLoader

from hplreid.datasets import (
    CacheError,
    IdentitySampler,
    JointDataset,
    LoadCachedImage,
    Market1501,
    UnreadableImageError,
    reid_collate,
)
from hplreid.datasets.images import cache_index
from hplreid.datasets.images.cache_builder import build_cache, verify_cache
from hplreid.datasets.images.cache_index import CacheKey
from hplreid.datasets.images.image_cache import ImageCache
from hplreid.engine.config.image_cache import find_images, use_image_cache
from hplreid.registry import TRANSFORMS
from tests.helpers import make_cuhk_pedes, make_market, write_image

SIZE = (32, 16)
KEY = CacheKey('Market-1501', SIZE, 'bicubic')
PIPELINE = [
    {'type': 'LoadImage'},
    {'type': 'ResizeImage', 'size': SIZE, 'interpolation': 'bicubic'},
    {'type': 'RandomFlip'},
    {'type': 'PadRandomCrop', 'padding': 4},
    {'type': 'RandomErasing', 'fill': 'pixel'},
    {'type': 'TokenizeCaption'},
    {'type': 'PackReIDInputs'},
]


def cached_pipeline(cache):
    pipeline = [dict(step) for step in PIPELINE]
    assert use_image_cache(pipeline, str(cache)) == 1
    return pipeline


def market(root, pipeline=()):
    return Market1501(str(root), pipeline=pipeline, expected=None)


def files_of(dataset):
    return [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]


@pytest.fixture
def root(tmp_path):
    return make_market(tmp_path / 'market', num_ids=4)


@pytest.fixture
def paths(root):
    return files_of(market(root))


@pytest.fixture
def cache(tmp_path, paths):
    folder = tmp_path / 'cache'
    done = build_cache(folder, KEY, paths, progress=False)
    assert done == (16, 16, 16 * 3 * 32 * 16)
    return folder


def data_file(folder):
    (found,) = folder.glob('*.u8')
    return found


@pytest.mark.parametrize('workers', [1, 3])
@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_pixels_are_pillows(tmp_path, interpolation, workers):
    rng = np.random.default_rng(0)
    paths = []
    for number, (mode, end) in enumerate(
        [('RGB', 'jpg'), ('L', 'jpg'), ('CMYK', 'jpg'), ('RGBA', 'png'), ('RGB', 'png')]
        * 3
    ):
        pixels = rng.integers(256, size=(*rng.integers(9, 90, 2), 3), dtype=np.uint8)
        paths.append(str(tmp_path / f'{number}.{end}'))
        Image.fromarray(pixels).convert(mode).save(paths[-1])
    key = CacheKey('own data', (40, 24), interpolation)
    build_cache(tmp_path / 'cache', key, paths[::-1], workers, progress=False)
    found = ImageCache(tmp_path / 'cache', key)
    for path in paths:
        image = Image.open(path).convert('RGB')
        expected = image.resize((24, 40), Image.Resampling[interpolation.upper()])
        assert torch.equal(found.read(path), T.PILToTensor()(expected))


@pytest.mark.parametrize('num_workers', [0, 2])
def test_whole_pipeline_is_the_same_with_and_without(root, cache, num_workers):
    batches = []
    for pipeline in (PIPELINE, cached_pipeline(cache)):
        dataset = market(root, pipeline)
        loader = DataLoader(
            dataset,
            batch_size=8,
            sampler=IdentitySampler(dataset, seed=3, batch_size=8, num_instances=4),
            num_workers=num_workers,
            collate_fn=reid_collate,
        )
        batches.append(list(loader))
    assert len(batches[0]) == len(batches[1]) > 0
    for without, with_cache in zip(*batches, strict=True):
        for name, tensor in without['inputs'].items():
            assert torch.equal(tensor, with_cache['inputs'][name]), name
        for a, b in zip(
            without['data_samples'], with_cache['data_samples'], strict=True
        ):
            assert a.metainfo == b.metainfo


def test_a_spawned_worker_opens_its_own(root, cache):
    dataset = market(root, cached_pipeline(cache))
    size = len(pickle.dumps(dataset))
    expected = dataset[0, 7]['inputs']['image']
    assert len(pickle.dumps(dataset)) == size  # no pixels in it
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[0, 7]['inputs']['image'], expected)


def test_joint_data_have_a_cache_each_in_one_folder(tmp_path, root):
    t2i = make_cuhk_pedes(tmp_path / 'cuhk', num_ids=4)
    config = dict(
        type='JointDataset',
        t2i=dict(type='CUHKPEDES', data_root=str(t2i), expected=None),
        i2i=dict(type='Market1501', data_root=str(root), expected=None),
        leak='none',
        pipeline=PIPELINE,
    )
    wanted = find_images(config)
    keys = [CacheKey(name, SIZE, 'bicubic') for name in ('CUHK-PEDES', 'Market-1501')]
    assert list(wanted) == keys
    cache = tmp_path / 'cache'
    for key in keys:
        build_cache(cache, key, wanted[key], progress=False)
    names = sorted(path.name for path in cache.glob('*.json'))
    assert names == [
        'CUHK-PEDES_32x16_bicubic.json',
        'Market-1501_32x16_bicubic.json',
    ]
    del config['type']
    plain = JointDataset(**config)
    cached = JointDataset(**dict(config, pipeline=cached_pipeline(cache)))
    assert len(plain) == 8 * 2 + 16
    for index in range(len(plain)):
        a, b = plain[index, 7], cached[index, 7]
        assert torch.equal(a['inputs']['image'], b['inputs']['image'])


def test_images_with_two_captions_are_there_once(tmp_path):
    root = make_cuhk_pedes(tmp_path / 'cuhk', num_ids=4, captions_per_image=2)
    wanted = find_images(
        dict(type='CUHKPEDES', data_root=str(root), expected=None, pipeline=PIPELINE)
    )
    ((key, paths),) = wanted.items()
    assert len(paths) == 16
    assert build_cache(tmp_path / 'cache', key, paths, progress=False).images == 8


def test_items_without_a_image_pass(tmp_path, cache):
    item = {'img_path': None, 'source': 'Market-1501', 'caption': 'a man'}
    step = LoadCachedImage(str(cache), SIZE, 'bicubic')
    step.check_items([item])
    assert step(dict(item)) == item


def test_what_is_read_may_be_written_to(cache, paths):
    found = ImageCache(cache, KEY)
    before = found.read(paths[0])
    found.read(paths[0]).zero_()
    assert torch.equal(found.read(paths[0]), before)
    assert before.any()


def touch(path, seconds=10):
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + seconds * 10**9))


def test_changed_images_are_an_error(root, cache, paths):
    market(root, cached_pipeline(cache))
    touch(paths[0])
    with open(paths[1], 'ab') as file:
        file.write(b'\0')
    with pytest.raises(CacheError) as error:
        market(root, cached_pipeline(cache))
    message = str(error.value)
    size = os.path.getsize(paths[1])
    assert '2 differ' in message
    assert f'{paths[0]} was changed since' in message
    assert f'{paths[1]} had {size - 1:,} bytes and has {size:,}' in message
    assert f'build_cache.py CONFIG --out {cache}' in message


def test_new_images_are_an_error_until_the_cache_is_built_again(root, cache, paths):
    added = root / 'bounding_box_train' / '0001_c2s1_000099_00.jpg'
    write_image(added, 'another')
    with pytest.raises(CacheError, match=f'{added} is not in the cache'):
        market(root, cached_pipeline(cache))
    before = data_file(cache)
    done = build_cache(cache, KEY, [*paths, str(added)], progress=False)
    assert (done.images, done.made) == (17, 1)
    assert data_file(cache) != before
    assert len(market(root, cached_pipeline(cache))) == 17


def test_a_build_makes_what_has_changed_and_keeps_the_rest(cache, paths):
    touch(paths[0])  # other time, same content
    Image.new('RGB', (20, 40), 'red').save(paths[1])
    os.remove(paths[2])  # and another is no longer asked for
    done = build_cache(cache, KEY, [*paths[:2], *paths[4:]], progress=False)
    assert (done.images, done.made) == (15, 1)
    found = ImageCache(cache, KEY)
    found.check([*paths[:2], *paths[3:]])
    assert found.find(paths[2]) is None
    assert found.read(paths[1])[:, 5, 5].tolist() == [254, 0, 0]


def test_a_complete_cache_is_left_alone(cache, paths):
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert build_cache(cache, KEY, paths, progress=False).made == 0
    assert build_cache(cache, KEY, paths[:3], progress=False).made == 0
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    assert build_cache(cache, KEY, paths, overwrite=True, progress=False).made == 16


def test_another_size_is_another_cache(cache, paths, root):
    key = CacheKey('Market-1501', (64, 32), 'bicubic')
    with pytest.raises(CacheError, match=r'at 64 x 32.*There are: .*_32x16_bicubic'):
        ImageCache(cache, key)
    assert LoadCachedImage.find_problems(str(cache), [32, 16], 'bicubic') == []
    for size, interpolation in (((64, 32), 'bicubic'), (SIZE, 'bilinear')):
        (problem,) = LoadCachedImage.find_problems(str(cache), size, interpolation)
        assert f'{size[0]} x {size[1]}, {interpolation}' in problem
        assert 'build_cache.py CONFIG' in problem
    build_cache(cache, key, paths, progress=False)
    assert len(list(cache.glob('*.u8'))) == 2
    ImageCache(cache, KEY).check(paths)


def test_a_cache_of_another_pillow_is_an_error(cache, paths, monkeypatch):
    """One whose resize rounds in another place: 12 and 13 differ so."""
    right = Image.Image.resize

    def resize(self, size, *args):
        return right(right(self, (self.width, size[1]), *args), size, *args)

    cache_index.resampling_sum.cache_clear()
    monkeypatch.setattr(Image.Image, 'resize', resize)
    try:
        with pytest.raises(CacheError, match='another version of Pillow'):
            ImageCache(cache, KEY)
    finally:
        cache_index.resampling_sum.cache_clear()


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize('error', [Interrupted, OSError])
def test_an_interrupted_build_leaves_what_was_there(cache, paths, error, monkeypatch):
    before = {path.name: path.read_bytes() for path in cache.iterdir()}

    def fail(*_):
        raise error('in the middle')

    for name in (
        'os.fsync',
        'os.replace',
        'hplreid.datasets.images.cache_builder.decode_image',
    ):
        with monkeypatch.context() as patch:
            patch.setattr(name, fail)
            with pytest.raises(error, match='in the middle'):
                build_cache(cache, KEY, paths, 2, overwrite=True, progress=False)
        after = {path.name: path.read_bytes() for path in cache.iterdir()}
        if error is Interrupted:  # what was finished stays for the next build
            after = {k: v for k, v in after.items() if not k.startswith('.')}
        assert after == before


def test_an_unreadable_image_stops_the_build(tmp_path, paths):
    with open(paths[3], 'r+b') as file:
        file.truncate(300)
    with pytest.raises(UnreadableImageError, match=paths[3]):
        build_cache(tmp_path / 'new', KEY, paths, 2, progress=False)
    assert list((tmp_path / 'new').iterdir()) == []


def test_readers_are_not_disturbed_by_a_build(cache, paths):
    reader = ImageCache(cache, KEY)
    before = [reader.read(path) for path in paths]
    Image.new('RGB', (20, 40), 'red').save(paths[0])
    build_cache(cache, KEY, paths, progress=False)
    assert len(list(cache.glob('*.u8'))) == 1
    for path, expected in zip(paths, before, strict=True):
        assert torch.equal(reader.read(path), expected)


def test_verification_finds_damage_and_silent_changes(cache, paths):
    assert verify_cache(cache, KEY, paths, progress=False) == []
    row = ImageCache(cache, KEY).find(paths[0])
    with data_file(cache).open('r+b') as file:
        file.seek(row * 3 * 32 * 16 + 5)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    status = os.stat(paths[1])
    with open(paths[1], 'r+b') as file:  # same size, same time
        file.seek(-3, 2)
        file.write(b'x')
    os.utime(paths[1], ns=(status.st_atime_ns, status.st_mtime_ns))
    ImageCache(cache, KEY).check(paths[:2])  # which it can't see
    assert verify_cache(cache, KEY, paths, progress=False) == [
        f'{paths[0]}: its pixels in the cache are damaged',
        f'{paths[1]}: the file has changed since',
    ]
    os.remove(paths[2])
    faults = verify_cache(cache, KEY, [*paths, 'new.jpg'], progress=False)
    assert f'{paths[2]} no longer exists' in faults
    assert 'new.jpg is not in the cache' in faults


def test_a_build_repairs_damage_when_told_to(cache, paths):
    data_file(cache).write_bytes(bytes(16 * 3 * 32 * 16))
    assert len(verify_cache(cache, KEY, paths, progress=False)) == 16
    build_cache(cache, KEY, paths, overwrite=True, progress=False)
    assert verify_cache(cache, KEY, paths, progress=False) == []


def test_damaged_rows_are_not_copied_into_a_new_cache(cache, paths):
    data_file(cache).write_bytes(bytes(16 * 3 * 32 * 16))
    touch(paths[0])
    assert build_cache(cache, KEY, paths, progress=False).made == 16
    assert verify_cache(cache, KEY, paths, progress=False) == []


def edit(index, **changes):
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, **changes}))


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda f, i: i.write_text('{'), 'is no index of a cache.*JSONDecodeError'),
        (lambda f, i: i.write_bytes(pickle.dumps({})), 'is no index'),
        (lambda f, i: i.write_text('[]'), 'is no index of a cache'),
        (lambda f, i: edit(i, format=9), 'it is of format 9'),
        (lambda f, i: edit(i, **{'pictures': [['a', 1]]}), 'is no index'),
        (lambda f, i: edit(i, size=[64, 32]), "doesn't belong to its name"),
        (lambda f, i: edit(i, source='Other'), "doesn't belong to its name"),
        (lambda f, i: edit(i, data='../secret.u8'), "its data '../secret.u8'"),
        (lambda f, i: i.unlink(), "No cache.*of the images of 'Market-1501'"),
        (lambda f, i: data_file(f).unlink(), 'should hold 16 images in 24,576 bytes'),
        (lambda f, i: os.truncate(data_file(f), 9), 'bytes, and has 9'),
    ],
)
def test_a_torn_cache_is_an_error(cache, paths, damage, message):
    damage(cache, cache / f'{KEY.stem}.json')
    with pytest.raises(CacheError, match=message) as error:
        ImageCache(cache, KEY)
    assert f'build_cache.py CONFIG --out {cache}' in str(error.value)
    (fault,) = verify_cache(cache, KEY, paths, progress=False)
    assert fault == str(error.value)
    assert build_cache(cache, KEY, paths, progress=False).made == 16


def test_images_outside_the_cache_are_an_error(cache):
    with pytest.raises(CacheError, match="'elsewhere/x.jpg' isn't in the cache"):
        ImageCache(cache, KEY).read('elsewhere/x.jpg')


def test_links_and_other_spellings_of_a_path(tmp_path, root, cache, paths, monkeypatch):
    (tmp_path / 'link').symlink_to(root)
    (tmp_path / 'cache_link').symlink_to(cache)
    found = ImageCache(tmp_path / 'cache_link', KEY)
    expected = found.read(paths[0])
    name = os.path.relpath(paths[0], root)
    monkeypatch.chdir(tmp_path)
    for path in (f'link/{name}', f'market/../link/{name}', str(root / name)):
        assert torch.equal(found.read(path), expected)
    linked = tmp_path / 'elsewhere' / 'linked.jpg'  # a file that is itself a link
    linked.parent.mkdir()
    linked.symlink_to(paths[0])
    assert found.find(str(linked)) is None
    build_cache('cache', KEY, [*paths, str(linked)], progress=False)
    assert torch.equal(ImageCache('cache', KEY).read(str(linked)), expected)


def test_cache_and_images_move_together(tmp_path, cache, paths):
    expected = ImageCache(cache, KEY).read(paths[0])
    (tmp_path / 'new').mkdir()
    for name in ('cache', 'market'):
        shutil.move(tmp_path / name, tmp_path / 'new' / name)
    moved = paths[0].replace(str(tmp_path), str(tmp_path / 'new'))
    assert torch.equal(ImageCache(tmp_path / 'new/cache', KEY).read(moved), expected)


def test_a_folder_that_cannot_be_written_to(root, cache):
    for path in cache.iterdir():
        path.chmod(0o444)
    cache.chmod(0o555)
    try:
        dataset = market(root, cached_pipeline(cache))
        assert dataset[0]['inputs']['image'].shape == (3, *SIZE)
    finally:
        cache.chmod(0o755)


def test_a_name_that_is_no_file_name(tmp_path, paths):
    key = CacheKey('../a b/ö', SIZE, 'bicubic')
    build_cache(tmp_path / 'cache', key, paths, progress=False)
    assert ImageCache(tmp_path / 'cache', key).find(paths[0]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ['cache', 'market']
    other = CacheKey('../a-b/ö', SIZE, 'bicubic')  # would have the same files
    with pytest.raises(CacheError, match="doesn't belong to its name"):
        ImageCache(tmp_path / 'cache', other)


def test_one_key_changes_every_pipeline_of_a_config():
    config = {
        'train_dataloader': {'dataset': {'t2i': {}, 'pipeline': PIPELINE[:]}},
        'test_dataloader': {
            'a': {'dataset': {'pipeline': [{'type': 'LoadImage'}, PIPELINE[1]]}}
        },
        'stages': [{'x': {'pipeline': PIPELINE[:2]}}],
        'other': 3,
    }
    assert use_image_cache(config, 'data/cache') == 3
    first = {
        'type': 'LoadCachedImage',
        'cache': 'data/cache',
        'size': SIZE,
        'interpolation': 'bicubic',
    }
    changed = config['train_dataloader']['dataset']['pipeline']
    assert changed == [first, *PIPELINE[2:]]
    assert config['stages'][0]['x']['pipeline'] == [first]
    assert use_image_cache(config, 'data/cache') == 0
    assert PIPELINE[0] == {'type': 'LoadImage'}


def test_what_comes_between_loading_and_resizing_is_refused():
    pipeline = [PIPELINE[0], {'type': 'RandomFlip'}, PIPELINE[1]]
    with pytest.raises(ValueError, match=r'right after LoadImage.*RandomFlip'):
        use_image_cache({'pipeline': pipeline}, 'data/cache')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'size': (3,)}, r'\(height, width\)'),
        ({'interpolation': 'area'}, "got 'area'"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build({'type': 'LoadCachedImage', 'cache': 'x', **options})


def test_build_refuses(tmp_path):
    with pytest.raises(ValueError, match='workers must be at least 1, got 0'):
        build_cache(tmp_path, KEY, ['x.jpg'], 0)
    with pytest.raises(ValueError, match="no images of 'Market-1501'"):
        build_cache(tmp_path, KEY, [], progress=False)
    with pytest.raises(FileNotFoundError, match="'x.jpg' does not exist"):
        build_cache(tmp_path, KEY, ['x.jpg'], progress=False)
    with pytest.raises(ValueError, match='CUHKPEDES has no ResizeImage'):
        find_images({'type': 'CUHKPEDES', 'pipeline': [{'type': 'LoadImage'}]})
