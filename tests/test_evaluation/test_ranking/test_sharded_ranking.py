"""A gallery in parts, on several processes, is scored like a whole one."""

import json

import numpy as np
import pytest

from hplreid.evaluation import evaluate_ranking, evaluate_sharded
from tests.test_evaluation.cases import assert_same, random_case
from tests.test_evaluation.processes import run_group

CASE = random_case(41, 1501, 48)  # neither 2 nor 3 divides 1501
OPTIONS = {'distance': 'euclidean', 'ap': 'trapezoid', 'gallery_block_size': 300}


def part(rank, world):
    """Parts of different lengths; of three, the second holds junk alone."""
    query, gallery, q_pids, g_pids, q_cams, g_cams = CASE
    junk = np.flatnonzero(g_pids == -1)
    other = np.flatnonzero(g_pids != -1)
    if world == 3:
        places = [other[:400], junk, other[400:]][rank]
    else:
        places = np.array_split(np.r_[other[:400], junk, other[400:]], world)[rank]
    return query, gallery[places], q_pids, g_pids[places], q_cams, g_cams[places]


def attempt(*args, **options):
    try:
        evaluate_sharded(*args, **options)
    except ValueError as error:
        return str(error)


def work(rank, world, folder):
    mine = part(rank, world)
    result = evaluate_sharded(*mine, **OPTIONS)
    averaged = evaluate_sharded(*mine, **OPTIONS, ties='expected')
    bad = mine[1].copy()
    if rank == world - 1:
        bad[3] = np.nan  # the others don't see it
    reordered = mine[0], mine[1], mine[2][:: 1 if rank else -1], *mine[3:]
    found = {
        'ap': result.ap.tolist(),
        'inp': result.inp.tolist(),
        'first_hit': result.first_hit.tolist(),
        'num_gallery': result.num_gallery,
        'tied': result.tied_queries.tolist(),
        'expected': [averaged.mean_ap, averaged.mean_inp, *averaged.cmc],
        'cmc': result.cmc.tolist(),
        'nan': attempt(mine[0], bad, *mine[2:]),
        'length': attempt(mine[0], mine[1][rank:], *mine[2:]),
        'order': attempt(*reordered),
        'cameras': attempt(*mine[:4], mine[4], mine[5] if rank else None),
        'none': attempt(mine[0], mine[1], mine[2] + 1000, *mine[3:]),
    }
    (folder / f'{rank}.json').write_text(json.dumps(found))


@pytest.mark.parametrize('world', [2, 3])
def test_any_number_of_processes_scores_the_same(world, tmp_path):
    run_group(work, world, tmp_path)
    _, gallery, _, g_pids, _, g_cams = CASE
    order = np.r_[np.flatnonzero(g_pids != -1), np.flatnonzero(g_pids == -1)]
    whole = CASE[0], gallery[order], CASE[2], g_pids[order], CASE[4], g_cams[order]
    expected = evaluate_ranking(*whole, **OPTIONS)
    averaged = evaluate_ranking(*whole, **OPTIONS, ties='expected')
    for rank in range(world):
        found = json.loads((tmp_path / f'{rank}.json').read_text())
        np.testing.assert_array_equal(found['ap'], expected.ap)
        np.testing.assert_array_equal(found['inp'], expected.inp)
        np.testing.assert_array_equal(found['first_hit'], expected.first_hit)
        np.testing.assert_array_equal(found['cmc'], expected.cmc)
        assert found['num_gallery'] == expected.num_gallery
        assert found['tied'] == expected.tied_queries.tolist()
        means = [averaged.mean_ap, averaged.mean_inp, *averaged.cmc]
        assert found['expected'] == means
        assert means[0] != expected.mean_ap
        # All fail together, and say whose fault it was
        assert f'Process {world - 1}: ' in found['nan']
        assert 'rows of gallery_feats hold NaN or infinity' in found['nan']
        assert 'Process 1: gallery_pids holds' in found['length']
        assert 'Processes 0 and 1 differ' in found['order']
        assert 'gallery_camids are given on some processes' in found['cameras']
        assert 'None of the 41 queries has a match' in found['none']


def test_without_a_process_group_it_is_the_whole_gallery():
    assert_same(evaluate_sharded(*CASE, **OPTIONS), evaluate_ranking(*CASE, **OPTIONS))
