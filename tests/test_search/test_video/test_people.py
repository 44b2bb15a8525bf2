"""People are cut out of videos with time and box, once, whatever was killed when."""

import json

import numpy as np
import pytest
from PIL import Image

from hplreid.datasets.errors import MissingDataError
from hplreid.search import VideoError
from hplreid.search.video import cut_people
from hplreid.search.video.frames import count_frames, read_frames

from .videos import COUNT, RATE, SIZE, RedDetector, place, write_video


def test_frames_come_at_a_steady_pace(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    assert count_frames(path) == COUNT
    frames = list(read_frames(path, 0.5))
    assert [frame.number for frame in frames] == list(range(0, COUNT, RATE // 2))
    np.testing.assert_allclose([f.time for f in frames], np.arange(8) / 2, atol=1e-3)
    assert frames[4].pixels[60, 5 + 4 * 20 + 9].argmax() == 0  # red, so it is RGB
    told = []
    assert [f.number for f in read_frames(path, 0.5, 15, told.append)] == [
        20,
        25,
        30,
        35,
    ]
    assert sum(told) == COUNT
    assert len(list(read_frames(path, 0.01))) == COUNT


def test_people_have_time_box_camera_and_image(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    items, said = cut_people(
        [path], tmp_path / 'crops', RedDetector(), 0.5, start=1000.0, progress=False
    )
    assert said == [f'{path}: 6 people in 8 frames']
    assert [item.time for item in items] == [
        1001.0,
        1001.5,
        1002.0,
        1002.5,
        1003.0,
        1003.5,
    ]
    for item in items:
        number = item.meta['frame']
        left, top = place(number)
        expected = np.array([left, top, *SIZE])
        np.testing.assert_allclose(item.meta['box'], expected, atol=4)  # JPEG's blocks
        assert (item.camera, item.source) == ('walk', 'walk.avi')
        assert item.path == f'walk/{number:08d}_0.jpg'
        with Image.open(tmp_path / 'crops' / item.path) as image:
            assert list(image.size) == item.meta['box'][2:]
            red, green, _ = np.asarray(image).mean((0, 1))
        assert red > green + 100


def test_what_is_done_is_not_done_again(tmp_path):
    path, detector = write_video(tmp_path / 'walk.avi'), RedDetector()
    once, _ = cut_people([path], tmp_path / 'crops', detector, 0.5, progress=False)
    assert detector.frames == 8
    again, _ = cut_people([path], tmp_path / 'crops', detector, 0.5, progress=False)
    assert detector.frames == 8
    assert again == once


@pytest.mark.parametrize('left', [1, 4, 8])
@pytest.mark.parametrize('half', ['', '{"frame": 25, "ti'])
def test_a_killed_run_goes_on(tmp_path, left, half):
    path = write_video(tmp_path / 'walk.avi')
    whole, _ = cut_people([path], tmp_path / 'one', RedDetector(), 0.5, progress=False)
    cut_people([path], tmp_path / 'two', RedDetector(), 0.5, progress=False)
    record = tmp_path / 'two/walk/people.jsonl'
    lines = record.read_text().splitlines(keepends=True)
    record.write_text(''.join(lines[:left]) + half)
    detector = RedDetector()
    items, _ = cut_people([path], tmp_path / 'two', detector, 0.5, progress=False)
    assert items == whole
    assert detector.frames == 9 - left
    assert record.read_text() == ''.join(lines)


def test_other_settings_are_not_mixed(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    cut_people([path], tmp_path, RedDetector(), 0.5, progress=False)
    with pytest.raises(VideoError, match=r'cut out with every=0.5, not 1.0: remove'):
        cut_people([path], tmp_path, RedDetector(), 1.0, progress=False)
    other = RedDetector()
    other.settings['detector'] = 'blue'
    with pytest.raises(VideoError, match='cut out with detector=red, not blue'):
        cut_people([path], tmp_path, other, 0.5, progress=False)
    write_video(path, COUNT + 9)
    with pytest.raises(VideoError, match='cut out with bytes='):
        cut_people([path], tmp_path, RedDetector(), 0.5, progress=False)


def test_a_damaged_record_says_so(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    cut_people([path], tmp_path, RedDetector(), 0.5, progress=False)
    (tmp_path / 'walk/people.jsonl').write_text('no JSON\n')
    with pytest.raises(VideoError, match='is damaged: remove its folder'):
        cut_people([path], tmp_path, RedDetector(), 0.5, progress=False)


def test_a_video_that_was_cut_off_is_used_and_said(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    data = path.read_bytes()
    # The index at the end of an AVI is kept, as a damaged copy may have it
    middle = len(data) // 2
    path.write_bytes(
        data[:middle] + bytes(len(data) // 3) + data[middle:][len(data) // 3 :]
    )
    items, said = cut_people([path], tmp_path, RedDetector(), 0.1, progress=False)
    assert 0 < len(items) < COUNT - 10
    assert said[-1].endswith('frames')


@pytest.mark.parametrize(
    ('videos', 'error', 'message'),
    [
        (['gone.avi'], MissingDataError, "Video 'gone.avi' does not exist"),
        (['notes.txt'], VideoError, "'notes.txt' is no video"),
        (['empty.mp4'], VideoError, "'empty.mp4' is no video"),
        (['walk.avi', 'more/walk.avi'], VideoError, "Two videos are named 'walk'"),
    ],
)
def test_what_is_no_video_is_refused_before_work(
    tmp_path, monkeypatch, videos, error, message
):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / 'walk.avi')
    write_video(tmp_path / 'more/walk.avi')
    (tmp_path / 'notes.txt').write_text('no video')
    (tmp_path / 'empty.mp4').touch()
    with pytest.raises(error, match=message):
        cut_people(['walk.avi', *videos], 'crops', RedDetector(), progress=False)
    assert not (tmp_path / 'crops').exists()


@pytest.mark.parametrize('every', [0, -1.0, float('nan')])
def test_a_pace_that_is_none(tmp_path, every):
    with pytest.raises(VideoError, match='expected seconds, above 0'):
        cut_people([], tmp_path, RedDetector(), every)


def test_the_record_is_plain_json_lines(tmp_path):
    path = write_video(tmp_path / 'walk.avi')
    cut_people([path], tmp_path, RedDetector(0.87654321), 2.0, progress=False)
    lines = [json.loads(x) for x in (tmp_path / 'walk/people.jsonl').open()]
    assert lines[0]['video'] == 'walk.avi'
    assert [line.get('frame') for line in lines[1:]] == [0, 20, None]
    assert lines[2]['people'][0]['confidence'] == 0.8765
    assert lines[3] == {'end': COUNT}
