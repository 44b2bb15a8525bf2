"""The drawing of ranked lists: borders, texts, sizes."""

import numpy as np
import pytest
from PIL import Image, ImageFont

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


def test_a_caption_is_text_and_a_long_one_is_cut(image):
    item = RankedItem(image, None, 3, 1)

    def ink(caption):
        query = RankedItem(None, caption, 3, -1)
        drawing = draw_ranked_list(RankedList(query, (item,), (0.5,), ('match',)))
        return (np.asarray(drawing)[:200].sum(-1) < 150).sum()

    words = 'A woman in a red coat. '
    assert 0 < ink(words) < ink(words * 3) < ink(words * 30) == ink(words * 60)


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
