"""Tables of results: what is read, what is refused, what is printed."""

import csv
import statistics
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

from hplreid.engine.results.tables import (
    NoResultsError,
    OtherProtocolError,
    ResultRow,
    Score,
    find_protocol_differences,
    find_published,
    format_results,
    read_rows,
)
from hplreid.evaluation.files import append_entry, write_scores
from hplreid.utils.user_error import UserError

ROOT = Path(__file__).resolve().parents[4]
METAFILES = sorted((ROOT / 'configs').glob('*/metafile.yml'))


def provenance(data='abcdef0123', tta='none', **settings):
    protocol = {'distance': 'cosine', 're-ranking': 'none', 'gallery': '800'}
    benchmark = {
        'dataset': data,
        'protocol': {'RetrievalMetric': {**protocol, **settings}},
    }
    config = {'file': 'configs/hpl/hpl_vitb16_joint.py'}
    return {'benchmarks': {'toy': benchmark}, 'tta': tta, 'config': config}


def test_a_run_is_read_with_its_protocol(tmp_path):
    write_scores(tmp_path / 'a/metrics.json', {'toy/R1': 52.5}, provenance())
    (row,) = read_rows(tmp_path / 'a')
    assert (row.name, row.seeds, row.source) == ('a', 1, '')
    assert row.scores == {'toy/R1': Score(52.5)}
    assert row.config == 'configs/hpl/hpl_vitb16_joint.py'
    assert row.protocols['toy']['data'] == 'abcdef01'
    assert read_rows(tmp_path / 'a/metrics.json') == [row]
    assert read_rows(tmp_path / 'a', 'mine')[0].name == 'mine'


def test_seeds_make_a_row(tmp_path):
    values = [(50.0, 7.0), (52.0, 7.5), (57.5, 9.0)]
    for seed, (first, second) in enumerate(values):
        scores = {'toy/R1': first, 'toy/mAP': second}
        write_scores(tmp_path / f'seed_{seed}/metrics.json', scores, provenance())
    (row,) = read_rows(tmp_path)
    assert row.seeds == 3
    for key, column in zip(
        ('toy/R1', 'toy/mAP'), zip(*values, strict=True), strict=True
    ):
        assert row.scores[key].mean == pytest.approx(statistics.mean(column))
        assert row.scores[key].spread == pytest.approx(statistics.stdev(column))
    write_scores(tmp_path / 'seed_9/metrics.json', {'toy/R1': 1.0}, {})
    with pytest.raises(NoResultsError, match='only some have toy/mAP'):
        read_rows(tmp_path)


def test_a_ledger_has_a_row_for_each_evaluation(tmp_path):
    ledger = tmp_path / 'run/results.jsonl'
    for folder, score in (('.', 1.0), ('test/tta', 2.0), ('.', 3.0)):
        append_entry(ledger, dict(folder=folder, scores={'toy/R1': score}))
    rows = read_rows(ledger)
    assert [(row.name, row.scores['toy/R1'].mean) for row in rows] == [
        ('run', 3.0),
        ('run: tta', 2.0),
    ]


def test_paths_without_results_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        read_rows(tmp_path / 'gone')
    with pytest.raises(NoResultsError, match=r'expected metrics\.json.*seed_\*'):
        read_rows(tmp_path)
    (tmp_path / 'results.jsonl').write_text('')
    with pytest.raises(NoResultsError, match='has no evaluation'):
        read_rows(tmp_path / 'results.jsonl')
    write_scores(tmp_path / 'metrics.json', {'note': 'none'}, {})
    with pytest.raises(NoResultsError, match='has no scores <benchmark>/<metric>'):
        read_rows(tmp_path)


@pytest.mark.parametrize(
    ('other', 'said'),
    [
        (dict(data='fedcba'), "toy: data is 'abcdef01' in a and 'fedcba' in b"),
        (dict(tta='flip'), "toy: TTA is 'none' in a and 'flip' in b"),
        ({'gallery': '700'}, "toy: gallery is '800' in a and '700' in b"),
        (dict(distance='euclidean'), None),
    ],
)
def test_other_protocols_are_found(tmp_path, other, said):
    write_scores(tmp_path / 'a/metrics.json', {'toy/R1': 1.0}, provenance())
    write_scores(tmp_path / 'b/metrics.json', {'toy/R1': 1.0}, provenance(**other))
    rows = [*read_rows(tmp_path / 'a'), *read_rows(tmp_path / 'b')]
    assert find_protocol_differences(rows) == ([said] if said else [])


def test_other_benchmarks_are_refused():
    rows = [ResultRow(name, {f'{name}/R1': Score(1.0)}) for name in 'ab']
    with pytest.raises(OtherProtocolError, match="'a' was scored on a, and no other"):
        find_protocol_differences(rows)
    assert find_protocol_differences(rows[:1]) == []


ROWS = [
    ResultRow('base_1', {'x/R1': Score(50.0, 1.0), 'y/mAP': Score(9.0)}, seeds=3),
    ResultRow('all & more', {'x/R1': Score(52.004)}),
    ResultRow('tied', {'x/R1': Score(52.0)}),
    ResultRow('paper', {'x/R1': Score(76.3)}, source='its authors'),
]


def test_markdown_marks_published_and_best():
    assert format_results(ROWS).splitlines() == [
        '| method | x R1 | y mAP |',
        '| --- | ---: | ---: |',
        '| base_1 | 50.00 ± 1.00 | 9.00 |',
        '| all & more | **52.00** |  |',
        '| tied | **52.00** |  |',
        '| *paper †* | *76.30* |  |',
        '',
        '† published, not measured here: paper by its authors.',
        '',
        'Mean ± standard deviation over seeds, their number: base_1 3.',
    ]


def test_latex_escapes_and_closes_what_it_opens():
    text = format_results(ROWS, 'latex')
    assert r'base\_1 & 50.00 $\pm$ 1.00 & 9.00 \\' in text
    assert r'all \& more & \textbf{52.00} & -- \\' in text
    assert r'\textit{paper}$^\dagger$ & \textit{76.30} & -- \\' in text
    assert text.count('{') == text.count('}')
    assert not any(sign in text for sign in '†±')
    cells = [line.count(' & ') for line in text.splitlines() if '&' in line]
    assert set(cells) == {2}


def test_csv_is_read_back():
    first, *rows = csv.reader(format_results(ROWS, 'csv').splitlines())
    assert first == ['method', 'published by', 'seeds', 'x/R1', 'x/R1 spread', 'y/mAP']
    assert rows[0] == ['base_1', '', '3', '50.0000', '1.0000', '9.0000']
    assert rows[3] == ['paper', 'its authors', '', '76.3000', '', '']


def test_metrics_are_chosen():
    assert 'mAP' not in format_results(ROWS, metrics=['R1'])
    with pytest.raises(UserError, match='No result has a score R7.*R1, mAP'):
        format_results(ROWS, metrics=['R7'])


def test_published_scores_are_those_of_the_metafile():
    row = find_published(ROOT / 'configs/hpl/hpl_vitb16_joint.py', 'HPL')
    assert (row.name, row.source) == ('HPL', 'the paper')
    assert row.scores['cuhk_pedes/R1'] == Score(76.28)
    assert row.scores['market1501/mAP'] == Score(89.82)
    assert find_published(ROOT / 'configs/hpl/hpl_tiny_synthpeds.py') is None
    assert find_published(ROOT / 'docs/nothing.py') is None


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_published_scores_are_of_benchmarks_of_the_config(path):
    found = 0
    for model in yaml.safe_load(path.read_text('utf-8'))['Models']:
        row = find_published(ROOT / model['Config'])
        if row is None:
            continue
        found += 1
        benchmarks = Config.fromfile(ROOT / model['Config']).test_dataloader
        for key, score in row.scores.items():
            benchmark, metric = key.split('/')
            assert benchmark in benchmarks, (model['Name'], key)
            assert metric in ('R1', 'R5', 'R10', 'mAP', 'mINP')
            assert 0 < score.mean < 100
    assert found


def test_a_malformed_metafile_is_named(tmp_path):
    (tmp_path / 'metafile.yml').write_text('Models: [{Name: a, Published: 3}]')
    with pytest.raises(NoResultsError, match=r"metafile\.yml' is malformed"):
        find_published(tmp_path / 'a.py')
