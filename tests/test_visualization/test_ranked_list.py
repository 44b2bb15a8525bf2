"""The drawing of ranked lists: borders, texts, sizes."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from hplreid.structures.ranked_list import RankedItem, RankedList
from hplreid.visualization import (
    RankedListVisualizer,
    draw_ranked_list,
    draw_ranked_lists,
)
from hplreid.visualization.ranked_list import COLORS, wrap_text


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'person.png'
    Image.new('RGB', (40, 80), (1, 2, 250)).save(path)
    return str(path)


def borders(drawing):
    """Colors of the frames met along a line near the top, from left to right."""
    row = np.asarray(drawing)[10].tolist()
    names = {tuple(v): k for k, v in COLORS.items()}
    met = [names.get(tuple(pixel)) for pixel in row]
    return [
        name for i, name in enumerate(met) if name and (i == 0 or met[i - 1] != name)
    ]


def test_borders_show_match_mismatch_and_ignored(image):
    item = RankedItem(image, None, 3, 1)
    marks = ('mismatch', 'match', 'ignored', 'match')
    drawing = draw_ranked_list(RankedList(item, (item,) * 4, (0.9,) * 4, marks))
    assert borders(drawing) == ['query', *marks]
    blue = (np.asarray(drawing) == (1, 2, 250)).all(-1).sum()
    assert blue == 5 * 96 * 192  # query and four items, each fills its cell


def test_images_keep_their_proportions(tmp_path):
    path = tmp_path / 'wide.png'
    Image.new('RGB', (80, 40), (1, 2, 250)).save(path)
    item = RankedItem(str(path), None, 3, 1)
    drawing = draw_ranked_list(RankedList(item, (), (), ()))
    assert (np.asarray(drawing) == (1, 2, 250)).all(-1).sum() == 96 * 48


def written(monkeypatch, ranked):
    """Texts of a drawing with their boxes, and the drawing."""
    texts = []
    plain = ImageDraw.ImageDraw.text

    def text(self, place, words, *args, **kwargs):
        texts.append((words, self.textbbox(place, words, font=kwargs['font'])))
        plain(self, place, words, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(ImageDraw.ImageDraw, 'text', text)
        return texts, draw_ranked_list(ranked)


@pytest.mark.parametrize('times', [1, 4, 12, 60])
def test_a_caption_is_written_whole_within_its_frame(image, monkeypatch, times):
    item = RankedItem(image, None, 3, 1)
    caption = 'A woman in a supercalifragilistic coat. ' * times
    query = RankedItem(None, caption, 3, -1)
    texts, drawing = written(
        monkeypatch, RankedList(query, (item,), (0.5,), ('match',))
    )
    lines = texts[: next(i for i, (words, _) in enumerate(texts) if words == 'id 3')]
    assert ' '.join(words for words, _ in lines).split() == caption.split()
    blue = np.nonzero((np.asarray(drawing) == COLORS['query']).all(-1))
    width, height = (np.ptp(axis) - 7 for axis in blue[::-1])  # of the cell
    assert max(box[2] for _, box in lines) < width
    assert max(box[3] for _, box in lines) < height


def test_rank_score_identity_camera_and_caption_stand_below(image, monkeypatch):
    item = RankedItem(image, 'a long-sleeved coat of supercalifragilistic red', 3, 1)
    ranked = RankedList(
        RankedItem(image, None, 3, 0),
        (item,) * 3,
        (0.987, 0.5, 0.25),
        ('match', 'ignored', 'mismatch'),
    )
    texts, drawing = written(monkeypatch, ranked)
    words = [words for words, _ in texts]
    assert words[:2] == ['id 3 cam 0', '1 + 0.987']
    assert {'- - 0.500', '2 x 0.250'} <= set(words)
    assert words.count('id 3 cam 1') == 3
    own = words[2 : words.index('- - 0.500')]
    assert ' '.join(own[1:]).split() == item.caption.split()
    assert max(box[3] for _, box in texts) < drawing.height


def test_wrapped_lines_fit_and_lose_no_word():
    font = ImageFont.load_default(13)
    text = 'a man wears   supercalifragilisticexpialidocious trousers\nand a hat'
    lines = wrap_text(text, 100, font)
    assert len(lines) > 3
    assert max(font.getlength(line) for line in lines) <= 100
    assert ''.join(lines).replace(' ', '') == ''.join(text.split())
    assert wrap_text('', 100, font) == []


def test_page_holds_every_list(image):
    item = RankedItem(image, None, 3, 1)
    lists = [RankedList(item, (item,) * n, (0.9,) * n, ('match',) * n) for n in (1, 3)]
    rows = [draw_ranked_list(r) for r in lists]
    page = RankedListVisualizer().draw(lists, title='toy')
    assert page.width == max(row.width for row in rows)
    assert page.height > sum(row.height for row in rows)
    bottom = page.crop((0, page.height - rows[1].height, rows[1].width, page.height))
    assert bottom.tobytes() == rows[1].tobytes()


def test_wrong_input_is_named(tmp_path):
    with pytest.raises(ValueError, match='no ranked list to draw'):
        draw_ranked_lists([])
    with pytest.raises(ValueError, match=r'at least 48 each way; got \(20, 90\)'):
        RankedListVisualizer(cell_size=(20, 90))
    gone = RankedItem(str(tmp_path / 'gone.jpg'), None, 3, 1)
    with pytest.raises(FileNotFoundError, match=r'gone\.jpg'):
        draw_ranked_list(RankedList(gone, (), (), ()))
