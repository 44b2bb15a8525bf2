"""The inference benchmark as a program."""

import pytest

from .programs import run_tool


def run(*configs):
    quick = '--batch', '2', '--rounds', '3', '--precision', 'bf16'
    table, printed = run_tool('benchmark_inference.py', *configs, *quick)
    assert 'batch 2, ' in printed
    return {(config, of): [size, *rest] for config, size, of, *rest in table[1:]}


def test_models_have_no_parts_for_training_only():
    """Baseline, IRRA and Propot: the same parameters, images and captions."""
    paths = (
        'configs/clip/clip_tiny_synthpeds-t2i_sdm.py',
        'configs/irra/irra_tiny_synthpeds.py',
        'configs/propot/propot_tiny_synthpeds.py',
    )
    rows = run(*paths)
    assert list(rows) == [(p, kind) for p in paths for kind in ('images', 'captions')]
    assert len({parameters for parameters, *_ in rows.values()}) == 1
    for _, seconds, rate, ratio in rows.values():
        assert float(seconds) * float(rate) == pytest.approx(2, rel=0.1)
        assert float(ratio) > 0
    assert [rows[paths[0], kind][-1] for kind in ('images', 'captions')] == (
        ['1.000', '1.000']
    )


def test_prompts_at_test_are_counted():
    paths = (
        'configs/promptsg/promptsg_tiny_synthpeds_constant.py',
        'configs/promptsg/promptsg_tiny_synthpeds.py',
        'configs/clip/clip_tiny_synthpeds-t2i_sdm.py',
    )
    rows = run(*paths)
    constant, composed = (
        int(rows[path, 'images'][0].replace(',', '')) for path in paths[:2]
    )
    assert composed > constant  # an inversion network and a text tower
    assert rows[paths[2], 'captions'][-1] == '-'  # the first config has none
