"""Sweeps: which trainings, which of them run, what is joined."""

import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from hplreid.engine.sweep import (
    GridError,
    SweepStopped,
    check_origin,
    find_state,
    make_grid,
    parse_axes,
    run_grid,
    summarize_grid,
)
from hplreid.engine.sweep.run_grid import SweepError
from hplreid.evaluation.files import write_scores

# A training in miniature: notes that it ran, writes a score, exits as it is told
PROGRAM = """
import json, pathlib, sys
folder, code = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
with open(folder / 'runs', 'a') as file:
    file.write('x')
if not code:
    (folder / 'metrics.json').write_text(json.dumps({'toy/R1': 50.0}))
sys.exit(code)
"""


def command(codes=()):
    codes = dict(codes)
    return lambda point: [
        *(sys.executable, '-c', PROGRAM, str(point.folder)),
        str(codes.get((*point.values.values(), point.seed), 0)),
    ]


def times(point):
    file = point.folder / 'runs'
    return len(file.read_text()) if file.exists() else 0


def test_axes_are_split_at_commas_of_their_own():
    words = ['a.b=1,2', "c=[1,2],(3,4),dict(x='a,b')", 'd=x']
    assert parse_axes(words) == {
        'a.b': ['1', '2'],
        'c': ['[1,2]', '(3,4)', "dict(x='a,b')"],
        'd': ['x'],
    }


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['a'], "'a': expected KEY=V1,V2"),
        (['a.=1'], 'expected KEY=V1,V2'),
        (['a=1,,2'], 'expected KEY=V1,V2'),
        (['a=1', 'a=2'], "'a' is given twice"),
        (['a=1,1'], 'a value comes twice'),
    ],
)
def test_malformed_axes_are_named(words, said):
    with pytest.raises(GridError, match=said):
        parse_axes(words)


def test_the_grid_has_every_combination_once():
    points = make_grid({'a': ['1', '2'], 'b': ['x', 'y', 'z']}, [0, 5], 'w')
    assert len(points) == 12
    assert len({point.folder for point in points}) == 12
    assert points[0].folder == Path('w/a=1/b=x/seed_0')
    assert [point.seed for point in points[:2]] == [0, 5]
    assert points[-1].name == 'a=2, b=z'
    with pytest.raises(GridError, match='different seeds'):
        make_grid({'a': ['1']}, [0, 0], 'w')
    with pytest.raises(GridError, match='the same folder'):
        make_grid({'a': ['x/y', 'x:y']}, [0], 'w')


def test_what_is_done_is_not_done_again(tmp_path):
    points = make_grid({'a': ['1', '2']}, [0, 1], tmp_path)
    said = []
    run_grid(points[:2], command(), said.append)
    run_grid(points, command(), said.append)
    assert [times(point) for point in points] == [1, 1, 1, 1]
    assert said[2:] == [
        'Training 1 of 4: a=1, seed 0 (done)',
        'Training 2 of 4: a=1, seed 1 (done)',
        'Training 3 of 4: a=2, seed 0 (new)',
        'Training 4 of 4: a=2, seed 1 (new)',
    ]


def test_a_failure_lets_the_others_run_and_is_tried_again(tmp_path):
    points = make_grid({'a': ['1', '2', '3']}, [0], tmp_path)
    with pytest.raises(SweepError, match=r'Failed: a=2, seed 0 \(exit code 1\)'):
        run_grid(points, command({('2', 0): 1}), str)
    assert [find_state(point) for point in points] == ['done', 'begun', 'done']
    run_grid(points, command(), str)
    assert [times(point) for point in points] == [1, 2, 1]


def test_a_mistake_ends_the_sweep(tmp_path):
    points = make_grid({'a': ['1', '2']}, [0], tmp_path)
    with pytest.raises(SweepError, match='exit code 2'):
        run_grid(points, command({('1', 0): 2}), str)
    assert times(points[1]) == 0


@pytest.mark.parametrize('code', [75, 130])
def test_a_stopped_training_stops_the_sweep(tmp_path, code):
    points = make_grid({'a': ['1', '2']}, [0], tmp_path)
    with pytest.raises(SweepStopped, match='a=1, seed 0 was stopped'):
        run_grid(points, command({('1', 0): code}), str)
    assert times(points[1]) == 0


def test_seeds_are_joined(tmp_path):
    points = make_grid({'a': ['1', '2']}, [0, 1, 2], tmp_path)
    scores = (50.0, 52.0, 57.0, 11.0)
    for point, score in zip(points, scores, strict=False):
        write_scores(point.folder / 'metrics.json', {'toy/R1': score}, {})
    first, second = summarize_grid(points)
    assert (first.name, first.seeds, second.seeds) == ('a=1', 3, 1)
    assert first.scores['toy/R1'].mean == statistics.mean(scores[:3])
    assert first.scores['toy/R1'].spread == statistics.stdev(scores[:3])
    assert second.scores['toy/R1'].spread is None
    assert summarize_grid(points[4:]) == []


def test_another_config_in_the_folder_is_refused(tmp_path):
    points = make_grid({'a': ['1']}, [0], tmp_path)
    origin = {'config': {'file': 'configs/irra/irra.py'}}
    write_scores(points[0].folder / 'metrics.json', {'toy/R1': 1.0}, origin)
    check_origin(points, 'elsewhere/irra.py')
    with pytest.raises(GridError, match=r'a training by configs/irra/irra\.py'):
        check_origin(points, 'configs/hpl/hpl.py')


def test_the_tool_lists_and_checks_before_it_trains(tmp_path):
    root = Path(__file__).resolve().parents[3]

    def sweep(*words):
        return subprocess.run(
            [
                *(sys.executable, 'tools/analysis_tools/sweep.py'),
                *('configs/hpl/hpl_tiny_synthpeds.py', *words),
                *('--work-dir', str(tmp_path), '--dry-run'),
            ],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=300,
        )

    key = 'model.heads.align.5.loss_weight'
    done = sweep(f'{key}=0.2,0.4', '--seeds', '0', '1')
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[3].startswith('new: ')
    assert lines[3].endswith(f'--seed 1 --cfg-options {key}=0.4')
    assert list(tmp_path.iterdir()) == []
    wrong = sweep('model.heads.align.5.los_weight=0.2')
    assert wrong.returncode == 2
    assert "Did you mean 'loss_weight'?" in wrong.stderr
