"""Features are those that the benchmark loop encodes, whatever the inputs come as."""

import io
import itertools
import threading

import numpy as np
import pytest
import torch
from PIL import Image

import hplreid
from hplreid.apis import InputError, ModelError, ReIDInferencer
from hplreid.apis.ordered_threads import map_ordered
from hplreid.datasets.errors import MissingDataError, UnreadableImageError

from .trained import METHODS, READ_CAPTIONS


def unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def open_run(run, **options):
    options = {'precision': 'fp32', 'progress': False, 'batch_size': 3, **options}
    return ReIDInferencer(run.published[0], **options)


@pytest.mark.parametrize('method', METHODS)
def test_features_are_those_of_the_benchmark_loop(tiny_runs, method):
    run = tiny_runs(method)
    inferencer = open_run(run)
    for task in run.tasks:
        tested = run.tested[1][task]
        has_cameras = method == 'TransReID (cameras)'
        camids = tested.gallery_camids.tolist() if has_cameras else None
        found = inferencer.embed_images(list(tested.gallery_names), task, camids)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, unit(tested.gallery_feats), atol=1e-6)
        names = list(tested.query_names)
        if task == 't2i':
            queries = inferencer.embed_texts(names)
        else:
            camids = tested.query_camids.tolist() if has_cameras else None
            queries = inferencer.embed_images(names, task, camids)
        np.testing.assert_allclose(queries, unit(tested.query_feats), atol=1e-6)
    assert inferencer.tasks == (('i2i', 't2i') if method in READ_CAPTIONS else ('i2i',))


def test_each_task_has_its_class_token(tiny_runs):
    run = tiny_runs('HPL')
    inferencer = open_run(run)
    names = list(run.tested[1]['t2i'].gallery_names)
    i2i, t2i = (inferencer.embed_images(names, task) for task in ('i2i', 't2i'))
    assert np.abs(i2i - t2i).max() > 1e-3
    both = list(inferencer.encode_images(names, ('i2i', 't2i')))
    for task, alone in (('i2i', i2i), ('t2i', t2i)):
        together = np.concatenate([b.features[task] for b in both])
        np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_checkpoint_a_config_and_a_published_file_are_one_model(tiny_runs):
    run = tiny_runs('PromptSG')
    names = list(run.tested[1]['i2i'].query_names)
    options = dict(precision='fp32', progress=False)
    expected = open_run(run).embed_images(names)
    for arguments in ((run.checkpoint,), (run.config, run.published[0])):
        found = ReIDInferencer(*arguments, **options).embed_images(names)
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.fixture(scope='module')
def inferencer(tiny_runs):
    return open_run(tiny_runs('HPL'))


@pytest.fixture
def crops(tmp_path):
    """Arrays, in files in a folder too."""
    noise = np.random.default_rng(0)
    arrays = [noise.integers(256, size=(40, 20, 3), dtype=np.uint8) for _ in range(7)]
    (tmp_path / 'crops' / 'deep').mkdir(parents=True)
    for number, array in enumerate(arrays):
        folder = 'crops/deep' if number > 4 else 'crops'
        Image.fromarray(array).save(tmp_path / folder / f'{number}.png')
    (tmp_path / 'crops' / 'notes.txt').write_text('none')
    (tmp_path / 'crops' / '.hidden.png').write_text('none')
    return arrays


def test_all_kinds_of_images_give_one_result(inferencer, crops, tmp_path):
    expected = inferencer.embed_images(crops)
    assert expected.shape == (7, 16)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)
    folder = tmp_path / 'crops'
    batch = np.stack(crops)
    tensor = torch.from_numpy(batch).permute(0, 3, 1, 2)
    in_memory = [Image.fromarray(c) for c in crops]
    for given in (
        folder,
        str(folder / '**' / '*.png'),
        [folder / f'{n}.png' for n in range(5)] + [str(folder / 'deep')],
        batch,
        tensor,
        list(tensor),
        in_memory,
        (p for p in in_memory),
        iter([crops[:3], batch[3:5], in_memory[5], tensor[6]]),
    ):
        found = inferencer.embed_images(given)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    one = inferencer.embed_images(folder / '3.png')
    np.testing.assert_allclose(one, expected[3:4], atol=1e-6)
    listed = hplreid.list_images(folder)
    assert [p.rpartition('/')[2] for p in listed] == [f'{n}.png' for n in range(7)]


def test_files_are_turned_and_scaled_as_in_training(inferencer, crops):
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(np.rot90(crops[0])).save(file, 'PNG', exif=exif)
    turned = inferencer.embed_images(Image.open(file))
    np.testing.assert_allclose(turned, inferencer.embed_images(crops[0]), atol=1e-6)
    shades = crops[0][..., 0]
    deep = inferencer.embed_images(shades.astype(np.uint16) * 257)
    np.testing.assert_allclose(deep, inferencer.embed_images(shades), atol=1e-6)


@pytest.mark.parametrize('workers', [0, 1, 4])
def test_the_number_of_threads_and_the_batch_change_nothing(tiny_runs, crops, workers):
    run = tiny_runs('HPL')
    expected = open_run(run).embed_images(crops)
    found = open_run(run, workers=workers, batch_size=5).embed_images(crops)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_stream_without_an_end_is_read_as_it_is_needed(inferencer, crops):
    taken = itertools.count()
    stream = (crops[next(taken) % 7] for _ in itertools.count())
    batches = inferencer.encode_images(stream)
    first = next(batches)
    assert first.features['i2i'].shape == (3, 16)
    assert next(taken) <= 10  # two batches ahead, at most
    batches.close()


def test_threads_keep_the_order_and_raise_in_it():
    slow = threading.Event()

    def work(number):
        if number == 0:
            slow.wait(1)
        if number == 3:
            slow.set()
        if number == 5:
            raise ValueError('five')
        return number

    results = map_ordered(work, range(9), workers=4, ahead=6)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match='five'):
        next(results)


@pytest.mark.parametrize(
    ('images', 'error', 'message'),
    [
        ('none.png', MissingDataError, "Image 'none.png' does not exist"),
        ('none/*.png', MissingDataError, "No image matches 'none/\\*.png'"),
        ('empty', MissingDataError, "Folder 'empty' has no images"),
        (['bad.png'], UnreadableImageError, "Image 'bad.png' can't be decoded"),
        ([], InputError, 'nothing to encode'),
        (iter([]), InputError, 'nothing to encode'),
        (7, InputError, '7 is a int'),
        (b'bytes', InputError, 'a bytes'),
        ([None], InputError, 'None is a NoneType'),
        (np.zeros((4, 4, 3)), InputError, 'image 0 is an array .* float64'),
        (np.zeros((0, 4, 3), np.uint8), InputError, 'image 0 is an array'),
        (torch.zeros(3, 4, 4), InputError, 'float32: expected uint8'),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), InputError, r'tensor \(4, 4, 3\)'),
        (Image.new('F', (4, 4)), UnreadableImageError, 'image 0.*floats'),
    ],
)
def test_bad_images_are_refused_in_words(
    inferencer, tmp_path, monkeypatch, images, error, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'bad.png').write_bytes(b'no image')
    with pytest.raises(error, match=message):
        inferencer.embed_images(images)


@pytest.mark.parametrize(
    ('captions', 'message'),
    [
        (3, 'captions=3: expected text'),
        (['a man', 3], 'Caption 1 is 3, a int'),
        (['a man', float('nan')], 'Caption 1 is nan, a float'),
        ([None], 'Caption 0 is None'),
        ([' '], 'Caption 0 is empty'),
        ([], 'nothing to encode'),
    ],
)
def test_bad_captions_are_refused_in_words(inferencer, captions, message):
    with pytest.raises(InputError, match=message):
        inferencer.embed_texts(captions)


def test_captions_come_alone_or_in_streams(inferencer):
    texts = ['a man', 'a woman in red ' * 40, 'a child', '2 men', 'a hat']
    expected = inferencer.embed_texts(texts)
    assert expected.shape == (5, 16)
    np.testing.assert_allclose(inferencer.embed_texts(iter(texts)), expected, atol=1e-6)
    np.testing.assert_allclose(
        inferencer.embed_texts(texts[2]), expected[2:3], atol=1e-6
    )


def test_a_model_of_images_alone_says_so(tiny_runs):
    inferencer = open_run(tiny_runs('BoT'))
    with pytest.raises(ModelError, match='no text tower'):
        inferencer.embed_texts('a man')
    with pytest.raises(ModelError, match="task='t2i' needs"):
        inferencer.search('a man', np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="task='both'"):
        inferencer.embed_images('a.png', task='both')


def test_a_model_with_cameras_wants_them(tiny_runs, crops):
    inferencer = open_run(tiny_runs('TransReID (cameras)'))
    with pytest.raises(ModelError, match='needs the camera of each image'):
        inferencer.embed_images(crops)
    with pytest.raises(ModelError, match='camids has 2'):
        inferencer.embed_images(crops, camids=2)
    with pytest.raises(ModelError, match='1 cameras, for 7'):
        inferencer.embed_images(crops, camids=[1])
    one, many = (inferencer.embed_images(crops, camids=c) for c in (1, [1] * 7))
    np.testing.assert_allclose(one, many, atol=1e-6)


def test_search_finds_the_nearest_in_order(inferencer, crops, tmp_path):
    folder = str(tmp_path / 'crops')
    result = inferencer.search(crops[2:4], folder, topk=3)
    assert result.indices.shape == result.scores.shape == (2, 3)
    assert result.indices[:, 0].tolist() == [2, 3]
    features = inferencer.embed_images(folder).astype(np.float64)
    similar = features[2:4] @ features.T
    order = np.argsort(-similar, axis=1, kind='stable')[:, :3]
    assert np.array_equal(result.indices, order)
    np.testing.assert_allclose(
        result.scores, np.take_along_axis(similar, order, 1), atol=1e-6
    )
    assert result.rows()[0]['path'].endswith('2.png')
    assert result.draw().height > 2 * 192  # queries in memory, too
    of_features = inferencer.search(crops[2:4], features.astype(np.float32), topk=99)
    assert of_features.indices.shape == (2, 7)
    with pytest.raises(InputError, match='give its images'):
        of_features.draw()
    assert of_features.draw(folder).width > 600


def test_search_by_words_uses_the_class_token_of_captions(inferencer, tmp_path, crops):
    folder = str(tmp_path / 'crops')
    result = inferencer.search(['a man in red', 'a dog'], folder, topk=2)
    similar = (
        inferencer.embed_texts(['a man in red', 'a dog'])
        @ inferencer.embed_images(folder, 't2i').T
    )
    assert np.array_equal(result.indices[:, 0], similar.argmax(1))
    assert result.queries == ['a man in red', 'a dog']
    image = result.draw()
    assert image.mode == 'RGB'
    assert image.height > 2 * 192


@pytest.mark.parametrize(
    ('queries', 'gallery', 'options', 'message'),
    [
        ([], 'crops', {}, 'no queries'),
        (['a man', 'crops/1.png'], 'crops', {}, 'captions .* and images .* at once'),
        ('a man', 'crops', {'topk': 0}, 'topk=0'),
        ('a man', 'crops', {'task': 'i2i'}, 'the queries are captions'),
        ('a man', np.zeros((0, 16), np.float32), {}, 'gallery is empty'),
        ('a man', np.zeros((3, 9), np.float32), {}, 'length 16, the gallery of 9'),
        ('a man', [], {}, 'nothing to encode'),
        (['a man', 5.0], 'crops', {}, 'at once|5.0'),
    ],
)
def test_a_search_that_means_nothing_is_refused(
    inferencer, crops, tmp_path, monkeypatch, queries, gallery, options, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        inferencer.search(queries, gallery, **options)


def test_a_missing_file_is_never_taken_for_a_caption(inferencer, tmp_path, crops):
    with pytest.raises(MissingDataError, match='nobody.jpg'):
        inferencer.search('nobody.jpg', str(tmp_path / 'crops'))


def test_options_are_checked(tiny_runs):
    run = tiny_runs('HPL')
    for options in (dict(batch_size=0), dict(workers=-1), dict(precision='fp8')):
        with pytest.raises(ValueError, match=next(iter(options))):
            open_run(run, **options)


def test_the_augmentation_of_the_config_is_used(tiny_runs, crops):
    run = tiny_runs('HPL')
    config = run.config.copy()
    config.test_cfg = dict(type='BenchmarkLoop', augment=dict(flip=True))
    both = ReIDInferencer(config, run.checkpoint, precision='fp32', progress=False)
    plain = open_run(run)
    mirrored = [c[:, ::-1] for c in crops]
    mean = plain.embed_images(crops) + plain.embed_images(mirrored)
    np.testing.assert_allclose(both.embed_images(crops), unit(mean), atol=2e-6)
