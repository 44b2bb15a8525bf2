"""Reading the scalars of runs: in one piece, whatever interrupted them."""

import json

import pytest

from hplreid.visualization import find_logs, read_scalar_log
from hplreid.visualization.training import EmptyLogError


def write(folder, records, tail=''):
    path = folder / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(f'{json.dumps(record)}\n' for record in records) + tail)


def test_a_resumed_run_is_one_curve(tmp_path):
    first = [dict(loss=float(s), step=s, epoch=1) for s in (10, 20, 30, 40)]
    again = [dict(loss=-float(s), lr=0.1, step=s) for s in (30, 35)]
    write(tmp_path / '20260101_000000', first)
    write(tmp_path / '20260102_000000', again, tail='{"loss": 1.0, "st')
    log = read_scalar_log(tmp_path)
    assert log.steps['loss'].tolist() == [10, 20, 30, 35]  # 40 was made again, or lost
    assert log.values['loss'].tolist() == [10, 20, -30, -35]
    assert list(log.values) == ['loss', 'lr']


def test_seeds_are_found_in_their_order(tmp_path):
    for seed in (10, 2):
        write(tmp_path / f'seed_{seed}/2026', [dict(loss=1.0, step=1)])
    assert [log.name for log in find_logs(tmp_path)] == ['seed_2', 'seed_10']


def test_what_is_no_log_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        read_scalar_log(tmp_path / 'gone')
    with pytest.raises(EmptyLogError, match='has no scalars: expected'):
        find_logs(tmp_path)
    write(tmp_path / '2026', [])
    with pytest.raises(EmptyLogError, match='has no scalars: expected'):
        read_scalar_log(tmp_path)
    write(
        tmp_path / '2027',
        [dict(loss=2.0, step=0)],
        tail='nonsense\n{"loss": 1.0, "step": 1}\n',
    )
    with pytest.raises(EmptyLogError, match=r"line 2: expected .* got 'nonsense'"):
        read_scalar_log(tmp_path)
