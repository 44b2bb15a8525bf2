"""Curves of sweeps: places, bars, lines."""

import pytest

from hplreid.visualization import FigureError, SweepPoint, draw_sweep


def point(score, spread=None, **values):
    spreads = {} if spread is None else {'toy/R1': spread}
    return SweepPoint(values, {'toy/R1': score, 'toy/mAP': 1.0}, spreads)


def test_numbers_stand_where_they_belong():
    points = [point(50, 2, tau='0.4'), point(40, 1, tau='0.1'), point(45, tau='0.2')]
    panel, other = draw_sweep(points, ['toy/R1', 'toy/mAP'], 'title').axes
    line = panel.lines[0]
    assert line.get_xdata().tolist() == [0.1, 0.2, 0.4]
    assert line.get_ydata().tolist() == [40, 45, 50]
    (bars,) = panel.containers[0][2]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [[39, 41], [45, 45], [48, 52]]
    assert panel.get_xscale() == 'linear'
    assert other.get_title() == 'toy/mAP'


def test_wide_ranges_are_logarithmic_and_text_is_spread():
    wide = [point(1, weight=value) for value in ('0.01', '1', '10')]
    assert draw_sweep(wide, ['toy/R1']).axes[0].get_xscale() == 'log'
    text = [point(1, kind=value) for value in ('mlp', 'queries')]
    panel = draw_sweep(text, ['toy/R1']).axes[0]
    assert panel.lines[0].get_xdata().tolist() == [0, 1]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ['mlp', 'queries']


def test_other_values_have_a_line_each():
    points = [point(a + b, a=str(a), b=str(b)) for a in (1, 2) for b in (5, 6)]
    figure = draw_sweep(points, ['toy/R1'])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ['b 5', 'b 6']
    first, second = (container.lines[0] for container in figure.axes[0].containers)
    assert first.get_ydata().tolist() == [6, 7]
    assert second.get_ydata().tolist() == [7, 8]
    assert first.get_linestyle() != second.get_linestyle()


def test_nothing_to_draw_is_said():
    with pytest.raises(FigureError, match='expected scores among none'):
        draw_sweep([], ['R1'])
    with pytest.raises(FigureError, match='for R7: expected scores among toy/R1'):
        draw_sweep([point(1, a='1')], ['R7'])
