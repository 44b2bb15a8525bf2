"""Files of figures: formats, sameness, whole or not there."""

import pytest
from PIL import Image

from hplreid.visualization import FigureError, save_figure
from hplreid.visualization.figures import COLORS, FORMATS, line_style, new_figure


def draw():
    figure = new_figure(2, 1, 'Some words')
    figure.subplots().plot([1, 2], **line_style(1))
    return figure


@pytest.mark.parametrize('suffix', FORMATS)
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    paths = [save_figure(draw(), tmp_path / f'{n}{suffix}') for n in 'ab']
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    start = {'.png': b'\x89PNG', '.pdf': b'%PDF', '.svg': b'<?xml'}[suffix]
    assert first.startswith(start)
    assert len(list(tmp_path.iterdir())) == 2


def test_text_of_vectors_stays_text(tmp_path):
    assert '>Some words<' in save_figure(draw(), tmp_path / 'a.svg').read_text()


def test_lines_of_a_figure_differ_also_in_gray():
    styles = [line_style(number) for number in range(40)]
    assert len({(s['color'], str(s['linestyle'])) for s in styles}) == 40
    first = [str(line_style(number)['linestyle']) for number in range(5)]
    assert len(set(first)) == 5
    assert len(set(COLORS)) == len(COLORS)


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(FigureError, match=r"'a\.jpg' is of no format.*\.png, \.pdf"):
        save_figure(draw(), 'a.jpg')


def test_a_figure_is_read_back(tmp_path):
    with Image.open(save_figure(draw(), tmp_path / 'a.png')) as image:
        assert image.size == (300, 150)
