"""The programs that draw results: what they write, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.files import write_scores
from hplreid.evaluation.inspection import score_queries
from hplreid.synthpeds import make_synthpeds

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def features(tmp_path):
    """Files of two models on captions and images of eight people."""
    rng = np.random.default_rng(0)
    pids = np.arange(24) % 8 + 1
    centers = rng.normal(size=(9, 12))
    paths = []
    for number in range(24):
        paths.append(str(tmp_path / f'{number}.png'))
        Image.new('RGB', (20, 40), (9 * number, 2, 250)).save(paths[-1])
    files = []
    for name, noise in (('base', 1.5), ('ours', 0.8)):
        content = FeatureSet(
            centers[pids] + noise * rng.normal(size=(24, 12)),
            centers[pids] + noise * rng.normal(size=(24, 12)),
            pids,
            pids,
            query_names=np.array([f'a coat of kind {n}' for n in range(24)]),
            gallery_names=np.array(paths),
            distance='cosine',
            same_camera='keep',
        )
        files.append(tmp_path / name / 'toy.npz')
        content.save(files[-1])
    return files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_lists_of_two_models(call, features, tmp_path):
    out = tmp_path / 'out'
    code, printed = call(
        'visualization/compare_lists.py',
        *features,
        *('--num', 2, '--topk', 4, '--out', out / 'a.png', out / 'a.svg'),
    )
    assert code is None, printed
    assert names(out) == ['a.png', 'a.svg']
    text = (out / 'a.svg').read_text()
    assert 'largest gain of ours over base' in text
    assert 'a coat of kind' in text


def test_other_benchmarks_are_refused(call, features, tmp_path):
    content = FeatureSet.load(features[0])
    FeatureSet(
        content.query_feats, content.gallery_feats, content.query_pids + 1,
        content.gallery_pids, query_names=content.query_names,
        gallery_names=content.gallery_names, same_camera='keep',
    ).save(features[0])  # fmt: skip
    for tool in ('compare_lists', 'plot_score_curves'):
        code, printed = call(
            f'visualization/{tool}.py', *features, '--out', tmp_path / 'a.png'
        )
        assert code == 2
        assert 'base and ours are not of the same benchmark: query_pids' in printed
    code, printed = call(
        'visualization/compare_lists.py', *features, '--out', tmp_path / 'a.gif'
    )
    assert code == 2
    assert "a.gif' is of no format" in printed


def test_a_report_of_failures(call, features, tmp_path):
    out = tmp_path / 'report'
    arguments = ('visualization/report_failures.py', features[1], '--out', out)
    code, printed = call(*arguments, '--num', 2)
    assert code is None, printed
    assert {'report.md', 'curves.png', 'captions.png'} <= set(names(out))
    code, printed = call(*arguments)
    assert code == 2
    assert '--overwrite' in printed


def test_a_report_has_scores_by_groups_of_a_table(call, features, tmp_path):
    table = tmp_path / 'groups.csv'
    rows = [f'a coat of kind {n},{"ab"[n % 2]}' for n in range(24)]
    table.write_text('\n'.join(['caption,sort', *rows]))
    arguments = ('visualization/report_failures.py', features[1], '--out')
    code, printed = call(*arguments, tmp_path / 'report', '--groups', table)
    assert code is None, printed
    assert 'by_sort.png' in names(tmp_path / 'report')
    for text, said in (
        ('caption,sort\nno such,1\n', 'none of the 24 queries'),
        ('caption\nx\n', 'at least one attribute'),
    ):
        table.write_text(text)
        code, printed = call(*arguments, tmp_path / 'no', '--groups', table)
        assert code == 2
        assert said in printed
    code, printed = call(*arguments, tmp_path / 'no', '--groups', tmp_path / 'no.csv')
    assert code == 2
    assert "no.csv' does not exist" in printed
    assert not (tmp_path / 'no').exists()


def test_a_table_of_synthpeds(call, tmp_path):
    make_synthpeds(tmp_path / 'peds', 'tiny', workers=1, progress=False)
    tool, out = 'dataset_tools/describe_synthpeds.py', tmp_path / 'groups.csv'
    code, printed = call(tool, tmp_path / 'peds', '--out', out)
    assert code is None, printed
    lines = out.read_text().splitlines()
    assert lines[0] == 'path,caption,hidden,occluder,view,walking'
    assert len(lines) > 12
    code, printed = call(tool, tmp_path / 'peds', '--out', out)
    assert code == 2
    assert '--overwrite' in printed
    code, printed = call(tool, tmp_path, '--out', tmp_path / 'b.csv')
    assert code == 2
    assert 'has no images: expected a folder' in printed


def test_curves_of_features_and_of_scores(call, features, tmp_path):
    code, printed = call(
        'visualization/plot_score_curves.py', *features, '--out', tmp_path / 'a.svg'
    )
    assert code is None, printed
    assert 'recall' in (tmp_path / 'a.svg').read_text()
    scores = tmp_path / 'per_query' / 'toy.npz'
    score_queries(FeatureSet.load(features[1])).save(scores)
    both = features[0], scores
    code, printed = call(
        'visualization/plot_score_curves.py', *both, '--out', tmp_path / 'b.svg'
    )
    assert code is None, printed
    assert 'recall' not in (tmp_path / 'b.svg').read_text()


def test_a_map_and_its_page(call, features, tmp_path):
    out = tmp_path / 'map.png', tmp_path / 'map.html'
    arguments = ('visualization/plot_embedding.py', features[1], '--out', *out)
    code, printed = call(*arguments, '--method', 'pca', '--color', 'modality')
    assert code is None, printed
    assert 'modality gap ' in printed
    assert all(path.is_file() for path in out)
    content = FeatureSet.load(features[1])
    one = np.ones(24, int)
    FeatureSet(content.query_feats, content.gallery_feats, one, one).save(features[1])
    code, printed = call(*arguments, '--method', 'tsne')
    assert code == 2
    assert 'needs two at least' in printed


def write_log(folder, scale):
    path = folder / '20260101_000000/vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    lines = [
        json.dumps(dict(loss=scale * n, loss_id=scale, lr=0.1, step=n))
        for n in range(1, 9)
    ]
    path.write_text('\n'.join(lines))


def test_curves_of_trainings(call, tmp_path):
    for seed in (0, 1):
        write_log(tmp_path / f'ours/seed_{seed}', 1 + seed)
    write_log(tmp_path / 'base', 3)
    runs = tmp_path / 'base', tmp_path / 'ours'
    tool = 'visualization/plot_curves.py'
    code, printed = call(tool, *runs, '--out', tmp_path / 'a.svg')
    assert code is None, printed
    assert 'ours, 2 seeds' in (tmp_path / 'a.svg').read_text()
    code, printed = call(tool, runs[0], '--shares')
    assert code is None, printed
    assert (runs[0] / 'shares.png').is_file()
    (tmp_path / 'empty').mkdir()
    code, printed = call(tool, tmp_path / 'empty')
    assert code == 2
    assert 'has no scalars' in printed
    code, printed = call(tool, runs[0], '--keys', 'speed')
    assert code == 2
    assert 'No run has logged speed' in printed


def test_a_schedule_before_its_run(call, tmp_path):
    code, printed = call(
        'visualization/plot_schedule.py',
        'configs/irra/irra_tiny_synthpeds.py',
        *('--steps', 5, '--out', tmp_path / 'a.png'),
    )
    assert code is None, printed
    assert 'all others: ' in printed
    assert (tmp_path / 'a.png').is_file()


def test_a_table_beside_what_was_published(call, tmp_path):
    for name, score, data in (('a', 70.0, 'x'), ('b', 71.0, 'x'), ('c', 72.0, 'y')):
        protocol = {'RetrievalMetric': {'re-ranking': 'none'}}
        origin = {
            'config': {'file': 'configs/hpl/hpl_vitb16_joint.py'},
            'benchmarks': {'market1501': {'dataset': data, 'protocol': protocol}},
        }
        write_scores(
            tmp_path / name / 'metrics.json', {'market1501/mAP': score}, origin
        )
    tool = 'analysis_tools/tabulate_runs.py'
    both = tmp_path / 'a', tmp_path / 'b'
    code, printed = call(tool, *both, '--metrics', 'mAP')
    assert code is None, printed
    assert printed.splitlines()[2:5] == [
        '| a | 70.00 |',
        '| *a †* | *89.82* |',
        '| b | **71.00** |',
    ]
    assert '† published, not measured here: a by the paper.' in printed
    code, printed = call(tool, tmp_path / 'a', tmp_path / 'c')
    assert code == 2
    assert "market1501: data is 'x' in a and 'y' in c" in printed
    both = tmp_path / 'a', tmp_path / 'c'
    code, printed = call(tool, *both, '--allow-differences', '--format', 'latex')
    assert code is None, printed
    assert r'\textit{a}$^\dagger$ & \textit{89.82}' in printed
    assert 'Not alike: market1501: data' in printed
