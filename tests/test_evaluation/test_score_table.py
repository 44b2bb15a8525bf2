"""The table of scores and settings."""

import numpy as np
import pytest

from hplreid.evaluation import evaluate_distances, format_table, list_scores


def test_rows_columns_and_missing_values():
    text = format_table(
        {'a': {'mAP': 12.346, 'gallery': '10'}, 'b': {'mAP': 7.0, 'R1': 100.0}},
        'seed: 3',
    )
    cells = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in text.splitlines()
        if line.startswith('|')
    ]
    assert cells == [
        ['benchmark', 'mAP', 'gallery', 'R1'],
        ['a', '12.35', '10', '-'],
        ['b', '7.00', '-', '100.00'],
    ]


def test_shared_settings_are_above_a_table_of_a_hundred_columns():
    settings = {
        'distance': 'cosine',
        'queries': '9',
        're-ranking': 'none',
        'x': 'a' * 70,
    }
    scores = dict.fromkeys(['mAP', 'R1', 'R5', 'R10', 'mINP'], 100.0)
    rows = {
        'a': {**scores, **settings, 'same camera': 'drop'},
        'b' * 24: {**scores, **settings, 'same camera': 'keep'},
    }
    # Too long for one line at the bar after the hyphen, not at the hyphen
    title = 'weights: ' + 40 * 'b' + ' | test-time augmentation: flip'
    lines = format_table(rows, title).splitlines()
    assert lines[:3] == [
        title,
        'distance: cosine | re-ranking: none',
        'x: ' + 70 * 'a',
    ]
    assert lines[4].replace(' ', '') == (
        '|benchmark|mAP|R1|R5|R10|mINP|queries|samecamera|'
    )
    assert max(map(len, lines)) <= 100


def test_tasks_print_their_scores_as_papers_do():
    ranking = evaluate_distances(np.array([[0.2, 0.1, 0.3]]), [7], [7, 3, 7])
    i2i = list_scores(ranking, (1, 5, 10), 'i2i')
    t2i = list_scores(ranking, (1, 5, 10), 't2i')
    assert list(i2i) == ['mAP', 'R1', 'R5', 'R10', 'mINP']
    assert list(t2i) == ['R1', 'R5', 'R10', 'mAP', 'mINP']
    assert i2i == t2i
    assert i2i['R1'] == 0
    assert i2i['mAP'] == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)


def test_each_order_of_columns_has_a_table():
    rows = {
        'a': {'mAP': 1.0, 'R1': 2.0},
        'b': {'R1': 3.0, 'mAP': 4.0},
        'c': {'mAP': 5.0, 'R1': 6.0},
    }
    lines = [line for line in format_table(rows, 'title').splitlines() if '|' in line]
    cells = [[c.strip() for c in line.strip('|').split('|')] for line in lines]
    assert cells == [
        ['benchmark', 'mAP', 'R1'],
        ['a', '1.00', '2.00'],
        ['c', '5.00', '6.00'],
        ['benchmark', 'R1', 'mAP'],
        ['b', '3.00', '4.00'],
    ]
