"""Several processes give the scores, and the errors, of one."""

import json
import os

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from hplreid.evaluation import RetrievalMetric
from hplreid.evaluation.files import read_scores
from hplreid.evaluation.files.array_file import read_arrays
from hplreid.registry import DATASETS
from tests.test_engine.test_loops.test_benchmark_loop import TEST
from tests.test_evaluation.processes import run_group
from tests.test_evaluation.test_metrics.test_retrieval_metric import make_samples
from tests.test_evaluation.toy import ToyVectors, build_runner, loader


@DATASETS.register_module()
class ThreeVectors(ToyVectors):
    """A query and two gallery items of one identity: fewer than four processes."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return super().__getitem__((0, 20, 25)[index])


def work(rank, world, folder):
    os.chdir(folder)  # MMEngine exchanges results through files in .dist_test
    few = loader(2)
    few['dataset']['type'] = 'ThreeVectors'
    test = {
        'test_cfg': {
            'type': 'BenchmarkLoop',
            'dump_features': os.path.join(folder, 'feats'),
        },
        'test_dataloader': {**TEST['test_dataloader'], 'c_few': few},
        'test_evaluator': {
            **TEST['test_evaluator'],
            'c_few': dict(type='RetrievalMetric', task='i2i'),
        },
    }
    runner = build_runner(os.path.join(folder, 'work'), **test)
    found = {'loop': runner.test()}

    # Fewer samples than batches of all: the last process has nothing at all.
    samples = make_samples()
    metric = RetrievalMetric('i2i')
    evaluator = Evaluator(metric)
    if rank < world - 1 or world == 1:
        evaluator.process(samples[rank :: max(world - 1, 1)])
    found['metric'] = evaluator.evaluate(len(samples))
    found['holds lists'] = metric._last is not None

    evaluator.process(samples[:7])  # no gallery: only process 0 can see it
    try:
        evaluator.evaluate(7)
    except ValueError as error:
        found['error'] = str(error)
    with open(os.path.join(folder, f'{rank}.json'), 'w') as file:
        json.dump(found, file)


def run(world, folder):
    folder.mkdir()
    run_group(work, world, str(folder))
    return [json.loads((folder / f'{rank}.json').read_text()) for rank in range(world)]


@pytest.fixture(scope='module')
def single(tmp_path_factory):
    folder = tmp_path_factory.mktemp('world') / '1'
    return {**run(1, folder)[0], 'folder': folder}


@pytest.mark.parametrize('world', [2, 3, 4])
def test_any_number_of_processes_scores_the_same(world, single, tmp_path):
    """37, 19 and 3 samples: no number of processes divides them all."""
    for rank, found in enumerate(run(world, tmp_path / 'run')):
        assert found['loop'] == single['loop']
        assert found['metric'] == single['metric']
        assert found['error'] == single['error']
        assert found['holds lists'] == (rank == 0)
    assert "No sample of split 'gallery' among 7" in single['error']
    written, provenance = read_scores(tmp_path / 'run/work/metrics.json')
    assert written == single['loop']
    assert provenance['processes'] == world
    (log,) = (tmp_path / 'run/work').glob('*/*.log')
    assert f'processes: {world}' in log.read_text()
    for kind in ('work/per_query', 'feats'):
        files = sorted((single['folder'] / kind).iterdir())
        assert [p.stem for p in files] == ['a_i2i', 'b_t2i', 'b_t2i_i2t', 'c_few']
        for path in files:
            ours = read_arrays(tmp_path / 'run' / kind / path.name)
            theirs = read_arrays(path)
            assert ours.keys() == theirs.keys()
            del theirs['provenance']  # of that run
            for key, value in theirs.items():
                np.testing.assert_array_equal(ours[key], value)
