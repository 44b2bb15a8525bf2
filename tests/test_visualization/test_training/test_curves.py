"""What the curves show, against arithmetic by hand."""

import statistics

import numpy as np
import pytest

from hplreid.visualization import (
    FigureError,
    ScalarLog,
    StageSchedule,
    draw_loss_shares,
    draw_schedule,
    draw_training_curves,
)
from hplreid.visualization.training import mean_and_spread


def make_log(name, **scalars):
    steps = {k: np.array(list(v)) for k, v in scalars.items()}
    values = {k: np.array(list(v.values()), float) for k, v in scalars.items()}
    return ScalarLog(name, steps, values)


LOGS = [
    make_log('a', loss={1: 4.0, 2: 3.0, 4: 1.0}, lr={1: 0.1}),
    make_log('b', loss={2: 5.0, 3: 9.0, 4: 1.5}, lr={1: 0.1}),
    make_log('c', loss={2: 4.0, 4: 0.5}, lr={1: 0.1}),
]


def test_mean_and_spread_are_of_the_steps_in_common():
    steps, mean, spread = mean_and_spread(LOGS, 'loss')
    assert steps.tolist() == [2, 4]
    columns = [(3.0, 5.0, 4.0), (1.0, 1.5, 0.5)]
    np.testing.assert_allclose(mean, [statistics.mean(c) for c in columns])
    np.testing.assert_allclose(spread, [statistics.stdev(c) for c in columns])


def test_curves_are_drawn_with_a_band_for_seeds():
    runs = {'alone': LOGS[:1], 'seeds': LOGS}
    figure = draw_training_curves(runs, ['loss'], 'title')
    (panel,) = figure.axes
    alone, mean = panel.lines
    assert alone.get_ydata().tolist() == [4.0, 3.0, 1.0]
    assert mean.get_ydata().tolist() == [4.0, 1.0]
    (band,) = panel.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == 1.0 - statistics.stdev((1.0, 1.5, 0.5))
    assert heights.max() == 4.0 + statistics.stdev((3.0, 5.0, 4.0))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ['alone', 'seeds, 3 seeds']


def test_curves_name_what_is_missing():
    with pytest.raises(FigureError, match=r'No run has logged speed.*loss, lr'):
        draw_training_curves({'a': LOGS}, ['speed'])
    with pytest.raises(FigureError, match="'speed' was not logged by a, b, c"):
        mean_and_spread(LOGS, 'speed')
    apart = [make_log('a', loss={1: 1.0}), make_log('b', loss={2: 1.0})]
    with pytest.raises(FigureError, match='at no step by all of a, b'):
        mean_and_spread(apart, 'loss')


def test_shares_sum_to_all_and_stages_do_not_mix():
    log = make_log(
        'a', loss={1: 4.0}, loss_first={1: 1.0}, loss_id={1: 3.0, 2: 2.0}, lr={1: 1.0}
    )
    figure = draw_loss_shares(log)
    (panel,) = figure.axes
    first, second = (band.get_paths()[0].vertices for band in panel.collections)
    assert first[:, 1].max() == 25 == second[second[:, 1] > 0, 1].min()
    with pytest.raises(FigureError, match='has logged no loss_<term>'):
        draw_loss_shares(make_log('a', lr={1: 1.0}))


def test_stages_follow_each_other():
    stages = [
        StageSchedule('one', 2, {'all others': np.array([1.0, 2.0])}),
        StageSchedule('two', 1, {'all others': np.array([3.0]), 'x': np.array([9.0])}),
    ]
    panel = draw_schedule(stages).axes[0]
    drawn = [(list(li.get_xdata()), list(li.get_ydata())) for li in panel.lines[:3]]
    assert drawn == [([1, 2], [1, 2]), ([3], [3]), ([3], [9])]
    with pytest.raises(FigureError, match='no stage'):
        draw_schedule([])


def test_a_group_of_scalars_is_drawn_by_its_name_at_steps():
    log = make_log(
        'a',
        loss={1: 1.0},
        **{
            'weight_norm/heads': {1: 2.0, 51: 3.0},
            'update_ratio/heads': {1: 1e-4, 51: 1e-2},
            'toy/R1': {1: 50.0},
        },
    )
    figure = draw_training_curves({'a': [log]}, ['weight_norm', 'update_ratio', 'toy'])
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ['weight_norm/heads', 'update_ratio/heads', 'toy/R1']
    assert [panel.get_xlabel() for panel in figure.axes] == ['step', 'step', 'epoch']
    assert [panel.get_yscale() for panel in figure.axes] == ['linear', 'log', 'linear']
