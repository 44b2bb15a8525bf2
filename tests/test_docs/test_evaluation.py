"""docs/evaluation.md says what the code does."""

import doctest
import re
from pathlib import Path

import numpy as np

from hplreid.evaluation import evaluate_distances

PAGE = Path(__file__).parents[2] / 'docs' / 'evaluation.md'


def test_code_in_the_page_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes files
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried == 19
    assert failed == 0


def test_tables_of_the_worked_example():
    """Distances, people and cameras are read from the page, and so are the scores."""
    text = PAGE.read_text('utf-8').split('### By hand')[1].split('## Score')[0]
    head, *lines = [line for line in text.splitlines() if line.startswith('|')]
    gallery = re.findall(r'g\d: (?:person (\d+)|junk), camera (\d)', head)
    lines = [[c.strip() for c in line.strip('|').split('|')] for line in lines]
    queries = [re.match(r'[ABC]: person (\d), camera (\d)', c[0]) for c in lines]
    rows = [(match, c[1:]) for match, c in zip(queries, lines, strict=True) if match]
    result = evaluate_distances(
        np.array([cells for _, cells in rows], dtype=float),
        [int(match[1]) for match, _ in rows],
        [int(pid or -1) for pid, _ in gallery],
        [int(match[2]) for match, _ in rows],
        [int(camera) for _, camera in gallery],
    )
    scores = {cells[0]: cells[1:] for cells in lines if len(cells) == 5}
    for row, name in enumerate('ABC'):
        _, ap, inp, first = scores[name]
        if ap == 'skipped':
            assert row in result.skipped_queries
            continue
        assert ap.split(' = ')[-1] == f'{result.ap[row]:.2f}'
        assert inp.split(' = ')[-1] == f'{result.inp[row]:.2f}'
        assert int(first) == result.first_hit[row]
    _, mean_ap, mean_inp, ranks = scores['mean of A and B']
    assert mean_ap == f'mAP {result.mean_ap:.2f}'
    assert mean_inp == f'mINP {result.mean_inp:.2f}'
    assert ranks == f'R1 {result.cmc[0]:.0f}, R2 {result.cmc[1]:.0f}'
