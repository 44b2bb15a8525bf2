"""The benchmark of training as a program."""

import json

import pytest

from hplreid.engine.measurement import OPTIONS

from .programs import run, run_tool

CONFIGS = (
    'configs/clip_reid/clip-reid_tiny_synthpeds.py',
    'configs/irra/irra_tiny_synthpeds.py',
)


def test_a_table_and_a_file_of_all_stages(tmp_path):
    out = tmp_path / 'speed' / 'training.json'
    small = '--batch', 8, '--rounds', 1, '--num-ids', 20
    fp32 = '--cfg-options', 'optim_wrapper.precision=fp32'
    rows, printed = run_tool(
        'benchmark_training.py',
        *CONFIGS,
        *small,
        *('--options', 'sub_batches', '--out', out, '--num-images', 1920),
        *fp32,
    )
    totals = rows[-3:]
    header, *body = rows[:-3]
    assert header[:5] == ['', 'option', 'prec.', 'img/s', 'speed']
    assert [(row[0], row[1]) for row in body] == [
        (number, option) for number in '123' for option in ('plain', 'sub_batches')
    ]
    assert max(map(len, printed.splitlines()[-18:])) <= 100
    assert f'3: {CONFIGS[1]}, stage align: 8 images and 8 captions a step' in printed
    written = json.loads(out.read_text())
    assert [(r['config'], r['stage']) for r in written['results']] == [
        (CONFIGS[0], 'prompt'),
        (CONFIGS[0], 'encoder'),
        (CONFIGS[1], 'align'),
    ]
    # 20 epochs of the prompts' stage, 12 of the towers', 4 of IRRA's
    rates = [r['rows'][0]['images_per_s'] for r in written['results']]
    seconds = 1920 * (20 / rates[0] + 12 / rates[1]), 1920 * 4 / rates[2]
    assert totals[0] == ['config', 'trained, M', 'hours', 'relative']
    for row, own in zip(totals[1:], seconds, strict=True):
        assert float(row[2]) == pytest.approx(own / 3600, abs=6e-3)
        assert float(row[3]) == pytest.approx(own / seconds[0], abs=6e-3)
    plain, parted = written['results'][2]['rows']
    assert plain['captions_per_s'] * plain['seconds'] == pytest.approx(8)
    assert sum(plain['parts'].values()) > 0
    assert parted['loss_difference'] < 1e-5


def test_all_options_have_names():
    listed = run('analysis_tools/benchmark_training.py', '--help').stdout
    assert ', '.join(OPTIONS) in ' '.join(listed.split())
