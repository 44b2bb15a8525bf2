"""Optimized sweeps: what is proposed, trained, kept and told."""

import builtins
import json
import math
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from hplreid.engine.sweep import (
    GridError,
    Range,
    SearchError,
    SweepStopped,
    corners,
    make_grid,
    parse_space,
    propose_values,
    read_trials,
    run_grid,
    run_search,
    trial_points,
    trial_score,
)
from hplreid.engine.sweep.run_grid import SweepError
from hplreid.utils.user_error import MissingPackageError

optuna = pytest.importorskip('optuna', reason='an optional package')

ROOT = Path(__file__).resolve().parents[3]
SPACE = {'tau': Range('0.01', '1', log=True), 'kind': ['a', 'b']}

# A training in miniature, best at tau 0.1 and kind b; seed 1 has 2 points more
PROGRAM = """
import json, math, pathlib, sys
folder, tau, kind, seed, code = sys.argv[1:]
folder = pathlib.Path(folder)
folder.mkdir(parents=True, exist_ok=True)
with open(folder / 'runs', 'a') as file:
    file.write('x')
score = 50 - 20 * math.log10(float(tau) / 0.1) ** 2 + (kind == 'b') + 2 * int(seed)
if code == '0':
    (folder / 'metrics.json').write_text(json.dumps({'toy/R1': score}))
sys.exit(int(code))
"""


def command(code):
    return lambda point: [
        *(sys.executable, '-c', PROGRAM, str(point.folder)),
        *(point.values['tau'], point.values['kind'], str(point.seed)),
        str(code(point)),
    ]


def search(folder, num, seeds=(0,), space=SPACE, score='toy/R1', code=lambda p: 0):
    run_search(space, num, score, list(seeds), folder, command(code), str)
    return read_trials(folder, list(space))


def times(folder):
    runs = [len(path.read_text()) for path in folder.glob('**/runs')]
    return len(runs), sum(runs)


def test_ranges_and_lists_are_read():
    space = parse_space(['a.b=1e-5:0.01:log', 'c=1:6', 'd=.5:2', 'e=1,2', 'f=1:2,3'])
    assert space == {
        'a.b': Range('1e-5', '0.01', log=True),
        'c': Range('1', '6'),
        'd': Range('.5', '2'),
        'e': ['1', '2'],
        'f': ['1:2', '3'],
    }
    assert [key for key, own in space.items() if getattr(own, 'is_integer', False)] == [
        'c'
    ]
    assert '3' in space['c']
    assert '3.5' not in space['c']
    assert 'text' not in space['c']
    ends = corners(space)
    assert {values['a.b'] for values in ends} == {'1e-5', '0.01'}
    assert {values['f'] for values in ends} == {'1:2', '3'}


@pytest.mark.parametrize(
    ('word', 'said'),
    [
        ('a=2:1', 'the lower end before the upper one'),
        ('a=0:1:log', 'must be above 0'),
        ('a=', 'expected KEY=V1,V2'),
    ],
)
def test_impossible_ranges_are_named(word, said):
    with pytest.raises(GridError, match=said):
        parse_space([word])


def test_proposals_lie_in_the_space_and_get_better():
    space = parse_space(['tau=0.01:1:log', 'depth=1:6', 'share=0:1', 'kind=a,b,c'])

    def score(values):
        away = math.log10(float(values['tau']) / 0.1) ** 2
        return -10 * away - abs(int(values['depth']) - 4) - (values['kind'] != 'b')

    told = []
    for number in range(60):
        values = propose_values(space, told, seed=number)
        assert all(values[key] in own for key, own in space.items()), values
        told.append((values, score(values)))
    first, last = ([s for _, s in told[i : i + 10]] for i in (0, 50))
    assert sum(last) > sum(first) + 10


def test_a_number_that_is_rounded_over_an_end_is_that_end():
    space = {'tau': Range('0.123449', '0.1234499')}
    for seed in range(5):
        assert propose_values(space, [], seed)['tau'] in ('0.123449', '0.1234499')


def test_failures_and_values_of_another_range_are_left_out():
    told = [({'tau': '0.1', 'kind': 'b'}, 50.0), ({'tau': '0.2', 'kind': 'b'}, None)]
    known = propose_values(SPACE, told, 3)
    outside = [*told, ({'tau': '7', 'kind': 'b'}, 99.0), ({'tau': '1', 'kind': 'x'}, 1)]
    assert propose_values(SPACE, outside, 3) == known


def test_a_search_finds_the_best_and_is_the_same_again(tmp_path):
    trials = search(tmp_path / 'once', 25)
    scores = [
        trial_score(values, 'toy/R1', [0], tmp_path / 'once') for values in trials
    ]
    best = trials[scores.index(max(scores))]
    assert best['kind'] == 'b'
    assert 0.05 < float(best['tau']) < 0.2
    # Stopped twice on the way, and each time with more trials
    for num in (3, 12, 25):
        assert len(search(tmp_path / 'parts', num)) == num
    assert read_trials(tmp_path / 'parts', list(SPACE)) == trials
    number, total = times(tmp_path / 'parts')
    assert number == total


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path):
    whole = search(tmp_path / 'whole', 5)
    stopped = trial_points(whole[2:3], [0], tmp_path / 'cut')[0]
    with pytest.raises(SweepStopped):
        search(tmp_path / 'cut', 5, code=lambda p: 75 * (p == stopped))
    assert len(read_trials(tmp_path / 'cut', list(SPACE))) == 3
    assert search(tmp_path / 'cut', 5) == whole
    assert times(tmp_path / 'cut') == (5, 6)


def test_scores_are_means_over_seeds_and_seeds_can_be_added(tmp_path):
    trials = search(tmp_path, 3, seeds=(0,))
    assert search(tmp_path, 3, seeds=(0, 1)) == trials
    assert times(tmp_path) == (6, 6)
    for values in trials:
        alone = trial_score(values, 'toy/R1', [0], tmp_path)
        assert trial_score(values, 'toy/R1', [0, 1], tmp_path) == alone + 1
        assert trial_score(values, 'toy/R1', [0, 9], tmp_path) is None


def test_what_a_grid_has_trained_is_not_trained_again(tmp_path):
    space = {'tau': ['0.1', '0.3'], 'kind': ['a', 'b']}
    run_grid(make_grid(space, [0], tmp_path), command(lambda p: 0), str)
    search(tmp_path, 6, space=space)
    assert times(tmp_path) == (4, 4)


def test_a_failed_trial_does_not_end_the_search_and_is_tried_again(tmp_path):
    first = search(tmp_path / 'first', 1)[0]
    with pytest.raises(SweepError, match='1 trials failed'):
        search(tmp_path / 'again', 4, code=lambda p: int(p.values == first))
    assert len(read_trials(tmp_path / 'again', list(SPACE))) == 4
    search(tmp_path / 'again', 4)
    assert times(tmp_path / 'again') == (4, 5)


def test_a_mistake_ends_the_search(tmp_path):
    with pytest.raises(SweepError, match='exit code 2'):
        search(tmp_path, 4, code=lambda p: 2)
    assert times(tmp_path) == (1, 1)


def test_another_score_or_space_and_a_damaged_file_are_refused(tmp_path):
    with pytest.raises(
        SearchError, match=r"no score 'toy/mAP': expected one of toy/R1"
    ):
        search(tmp_path, 2, score='toy/mAP')
    with pytest.raises(SearchError, match='over tau, kind, not over depth'):
        search(tmp_path, 2, space={'depth': ['1']})
    for text in ('[', '{}', '[1]', '{"trials": [1]}'):
        (tmp_path / 'trials.json').write_text(text)
        with pytest.raises(SearchError, match="can't be read: expected its trials"):
            search(tmp_path, 2)


def test_without_optuna_it_is_said_in_words(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == 'optuna':
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(MissingPackageError, match=r"pip install 'hplreid\[optuna\]'"):
        search(tmp_path, 1)
    assert times(tmp_path) == (0, 0)


@pytest.fixture
def call(monkeypatch, capfd):
    """Run the tool; return its exit code and what it printed."""

    def call(*arguments):
        tool = ROOT / 'tools' / 'analysis_tools' / 'sweep.py'
        monkeypatch.setattr(sys, 'argv', [str(tool), *map(str, arguments)])
        code = None
        try:
            runpy.run_path(str(tool), run_name='__main__')
        except SystemExit as error:
            code = error.code
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call


HPL = str(ROOT / 'configs/hpl/hpl_tiny_synthpeds.py')
KEY = 'model.heads.align.5.loss_weight'


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        ([f'{KEY}=1:9', '--trials', '3'], '--trials is for --optimize'),
        ([f'{KEY}=1:9', '--optimize', 'R1'], 'expected <benchmark>/<metric>'),
        ([f'{KEY}=1:9', '--optimize', 'market/R1'], 'are synthpeds_i2i, synthpeds_t2i'),
        ([f'{KEY}x=1:9', '--optimize', 'synthpeds_t2i/R1'], "mean 'loss_weight'"),
        ([f'{KEY}=9:1', '--optimize', 'synthpeds_t2i/R1'], 'the lower end before'),
    ],
)
def test_slips_are_found_before_anything_is_trained(call, tmp_path, arguments, said):
    code, printed = call(HPL, *arguments, '--work-dir', tmp_path)
    assert code == 2
    assert said in printed
    assert not list(tmp_path.iterdir())


def test_the_tool_searches_with_real_trainings(call, tmp_path):
    data = tmp_path / 'synthpeds'
    market = f'{data}/Market-1501-v15.09.15'
    small = [
        *('--train-args', '--cfg-options', f'data_preparers.0.out={data}'),
        'data_preparers.0.size=tiny',
        f'image_cache={data}/cache',
        f'train_dataloader.dataset.data_root={market}',
        f'test_dataloader.synthpeds_i2i.dataset.data_root={market}',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_dataloader.batch_size=8',
        'train_dataloader.sampler.batch_size=8',
        'train_dataloader.sampler.num_instances=2',
        'train_cfg.stages.identify.epochs=1',
    ]
    config = ROOT / 'configs/bot/bot_tiny_synthpeds.py'
    arguments = [
        *(config, 'train_cfg.stages.identify.optim_wrapper.optimizer.lr=1e-4:1e-2:log'),
        *('--optimize', 'synthpeds_i2i/mAP', '--work-dir', tmp_path / 'search'),
    ]
    code, printed = call(*arguments, '--trials', '2', *small)
    assert code in (0, None), printed
    assert 'Best of 2 by synthpeds_i2i/mAP' in printed
    for suffix in ('md', 'csv', 'png', 'pdf'):
        assert (tmp_path / 'search' / f'sweep.{suffix}').stat().st_size > 0
    trials = json.loads((tmp_path / 'search' / 'trials.json').read_text())['trials']
    assert len(trials) == 2
    code, listed = call(*arguments, '--dry-run')
    lines = [line for line in listed.splitlines() if ': ' in line]
    assert [line.split(':')[0] for line in lines] == ['done', 'done', 'new']
    ((key, value),) = trials[1].items()
    shutil.rmtree(tmp_path / 'search' / f'{key}={value}')
    code, printed = call(*arguments, '--only-report')
    assert code in (0, None), printed
    assert 'Best of 1 by' in printed
