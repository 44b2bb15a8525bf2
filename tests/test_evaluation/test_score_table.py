"""The table of scores and settings."""

from hplreid.evaluation import format_table


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
        ['seed: 3'],
        ['benchmark', 'mAP', 'gallery', 'R1'],
        ['a', '12.35', '10', '-'],
        ['b', '7.00', '-', '100.00'],
    ]
