"""What can't be scored is said before the training, not after."""

import pytest
from mmengine.config import Config

import hplreid.datasets
import hplreid.evaluation  # noqa: F401
from hplreid.engine.benchmark_check import find_benchmark_problems
from hplreid.engine.preflight import PreflightError
from hplreid.engine.workflow import get_ready

from .engine_toy import toy_config


def write(path, rows):
    """Write a table of pictures; nobody opens them."""
    lines = ['path,pid,camid,split']
    for name, pid, camid, split in rows:
        (path.parent / name).touch()
        lines.append(f'{name},{pid},{camid},{split}')
    path.write_text('\n'.join(lines))
    return str(path)


def config_of(table, **metric):
    dataset = dict(type='TableDataset', table=table, split='test', task='i2i')
    return Config(
        dict(
            test_cfg=dict(type='BenchmarkLoop'),
            test_dataloader=dict(mine=dict(batch_size=1, dataset=dataset)),
            test_evaluator=dict(
                mine=dict(type='RetrievalMetric', task='i2i', **metric)
            ),
        )
    )


@pytest.mark.parametrize(
    ('cameras', 'expected'),
    [
        (('', ''), '1 of 1 query samples have no camera'),
        ((2, ''), '1 of 1 gallery samples have no camera'),
        ((2, 2), 'None of the 1 queries has a right answer'),
    ],
)
def test_cameras_that_the_protocol_needs(tmp_path, cameras, expected):
    table = write(
        tmp_path / 't.csv',
        [('q.jpg', 1, cameras[0], 'query'), ('g.jpg', 1, cameras[1], 'gallery')],
    )
    (problem,) = find_benchmark_problems(config_of(table))
    assert problem.startswith('test_dataloader.mine: ')
    assert expected in problem
    assert find_benchmark_problems(config_of(table, same_camera='keep')) == []


def test_a_good_benchmark(tmp_path):
    table = write(
        tmp_path / 't.csv', [('q.jpg', 1, 0, 'query'), ('g.jpg', 1, 1, 'gallery')]
    )
    assert find_benchmark_problems(config_of(table)) == []


def test_annotations_of_all_benchmarks_and_of_training_are_read(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    broken = tmp_path / 'broken.json'
    broken.write_text('[{"path": 3}]')
    config.train_dataloader.dataset = dict(type='Market1501', data_root='nowhere')
    config.test_dataloader = dict(
        toy=dict(dataset=dict(type='TableDataset', table=str(broken), split='val'))
    )
    with pytest.raises(PreflightError) as caught:
        get_ready(config)
    assert "folder 'nowhere' does not exist" in str(caught.value)
    assert 'task=' in str(caught.value)


def test_a_file_name_that_tells_nothing_is_a_reason_not_a_traceback(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    folder = tmp_path / 'bounding_box_train'
    folder.mkdir()
    (folder / 'who.jpg').touch()
    config.train_dataloader.dataset = dict(type='Market1501', data_root=str(tmp_path))
    with pytest.raises(PreflightError, match=r'train_dataloader: .*who\.jpg'):
        get_ready(config)


def test_a_pipeline_that_can_not_be_cached_is_a_reason(tmp_path):
    config = toy_config(tmp_path)
    config.image_cache = 'cache'
    config.train_pipeline = [dict(type='LoadImage'), dict(type='RandomFlip')]
    with pytest.raises(PreflightError, match='ResizeImage must come right after'):
        get_ready(config)


def test_a_loop_of_mmengine_is_left_alone(tmp_path):
    config = Config(
        dict(
            test_dataloader=dict(batch_size=1, dataset=dict(type='ToyNumbers')),
            test_evaluator=dict(type='ToyScore'),
        )
    )
    assert find_benchmark_problems(config) == []
