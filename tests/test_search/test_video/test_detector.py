"""torchvision's detectors: weights from a file alone, and people alone."""

import importlib.util
import json
import sys

import numpy as np
import pytest
import torch
from torchvision.models import get_model

from hplreid.search import Gallery, QueryError, VideoError
from hplreid.search.video import DETECTORS, PersonDetector
from hplreid.search.video.detector import detector_url, find_detector_weights
from tests.test_tools.programs import ROOT

from .videos import RedDetector, write_video

NAME = 'ssdlite320_mobilenet_v3_large'
MODEL = ('--model', 'clip_tiny_synthpeds-t2i_sdm', '--weights', 'pretrained')


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Weights of a detector, random, as torchvision writes them."""
    path = tmp_path_factory.mktemp('detector') / 'detector.pth'
    torch.manual_seed(0)
    model = get_model(NAME, weights=None, weights_backbone=None)
    torch.save(model.state_dict(), path)
    return path


def test_the_model_is_torchvisions(weights):
    detector = PersonDetector(NAME, weights, 'cpu', confidence=1e-6)
    pixels = np.random.default_rng(0).integers(256, size=(240, 320, 3), dtype=np.uint8)
    model = get_model(NAME, weights=None, weights_backbone=None).eval()
    model.load_state_dict(torch.load(weights, weights_only=True))
    image = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)
    with torch.no_grad():
        (expected,) = model([image])
    people = expected['scores'][expected['labels'] == 1]
    found = detector.detect(pixels)
    for (left, top, width, height), _ in found:
        assert min(left, top) >= 0
        assert left + width <= 320
        assert top + height <= 240
        assert height >= 32
    scores = [one.confidence for one in found]
    assert set(np.round(scores, 6)) <= set(np.round(people.tolist(), 6))


def test_only_sure_people_of_some_size_are_found(weights):
    detector = PersonDetector(NAME, weights, 'cpu', confidence=0.5)
    found = dict(
        boxes=torch.tensor(
            [
                [10.2, -3.0, 30.7, 60.0],
                [0.0, 0.0, 40.0, 80.0],  # a dog
                [50.0, 5.0, 70.0, 90.0],  # not sure
                [60.0, 10.0, 70.0, 40.0],  # small
                [80.0, 20.0, 120.0, 130.0],
            ]
        ),
        labels=torch.tensor([1, 18, 1, 1, 1]),
        scores=torch.tensor([0.9, 0.9, 0.4, 0.8, 0.5]),
    )
    detector._model = lambda images: [found]
    people = detector.detect(np.zeros((100, 100, 3), np.uint8))
    assert [box for box, _ in people] == [(10, 0, 21, 60), (80, 20, 20, 80)]
    assert [round(one.confidence, 2) for one in people] == [0.9, 0.5]


def test_weights_that_are_not_there_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(VideoError) as caught:
        PersonDetector(NAME)
    assert f'fetch_weights.py {NAME} coco' in str(caught.value)
    assert 'https://download.pytorch.org/models/ssdlite320' in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('fcos_resnet50_fpn', None, r'has no weights of torchvision.s fcos_resnet50'),
        (NAME, b'no weights', 'has no weights of torchvision'),
        (NAME, {'a': torch.ones(2)}, r'Missing key|Unexpected key'),
    ],
)
def test_other_weights_are_refused(weights, tmp_path, name, content, message):
    path = tmp_path / 'a.pth'
    if content is None:
        path = weights
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(VideoError, match=message):
        PersonDetector(name, path)


@pytest.mark.parametrize('confidence', [0, -1, 1.5, float('nan')])
def test_a_confidence_out_of_range(weights, confidence):
    with pytest.raises(VideoError, match='expected a number above 0'):
        PersonDetector(NAME, weights, confidence=confidence)


def test_each_detector_is_published():
    for name in DETECTORS:
        assert detector_url(name).endswith(find_detector_weights(name).name)


@pytest.fixture
def search(monkeypatch, capsys):
    """tools/search.py, whose detector finds what is red."""
    spec = importlib.util.spec_from_file_location('tool', ROOT / 'tools/search.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['search.py', *map(str, arguments)])
        tool.main(tool.parse_args())
        return capsys.readouterr().out

    monkeypatch.setattr(
        tool, 'PersonDetector', lambda device, **given: RedDetector(**given)
    )
    return call


def test_people_of_a_video_are_searched(search, tmp_path):
    pytest.importorskip('qdrant_edge', reason='galleries need the extra search')
    video, people = write_video(tmp_path / 'walk.avi'), tmp_path / 'people'
    printed = search(
        *('index', people, *MODEL, '--video', video, '--every', 0.5),
        *('--start', '2026-05-01 08:00'),
    )
    assert f'{video}: 6 people in 8 frames' in printed
    assert '6 items added' in printed
    known = json.loads(search('info', people))
    assert known['cameras'] == {'walk': 6}
    assert known['root'] == f'{people}-crops'
    table = search(
        *('query', people, *MODEL, '--words', 'a person in red'),
        *('--since', '2026-05-01 08:00:02', '--until', '2026-05-01 08:00:03'),
    )
    assert '3 items searched' in table
    assert '2026-05-01 08:00:02' in table
    with Gallery.open(people) as gallery:
        item = gallery.get(['walk/00000020_0.jpg'])['walk/00000020_0.jpg']
        assert gallery.image(item).size == tuple(item.meta['box'][2:])
    again = search('index', people, *MODEL, '--video', video, '--every', 0.5)
    assert '0 items added, 6 there already' in again


def test_slips_are_messages(search, tmp_path):
    video = write_video(tmp_path / 'walk.avi', count=8)  # nobody has come yet
    with pytest.raises(VideoError, match='No person is found: look at the videos'):
        search('index', tmp_path / 'people', *MODEL, '--video', video)
    with pytest.raises(QueryError, match='--every is of --video, which is not given'):
        search('index', tmp_path / 'people', *MODEL, '--images', 'a', '--every', 1)
    url = 'http://127.0.0.1:9/people'
    with pytest.raises(Exception, match='does not answer|give --root'):
        search('index', url, *MODEL, '--video', video)
    assert not (tmp_path / 'people').exists()
