"""Benchmarks that can't be scored are reported before the training."""

import pytest
from mmengine.config import Config

import hplreid.datasets
import hplreid.evaluation  # noqa: F401
from hplreid.engine.config.check import ConfigError
from hplreid.engine.config.checks.benchmarks import find_benchmark_problems
from hplreid.engine.run import prepare_run
from tests.test_engine.engine_toy import toy_config


def write(path, rows):
    """Write a table of empty image files."""
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
        ((2, 2), 'None of the 1 queries has a match'),
    ],
)
def test_cameras_that_the_protocol_needs_are_checked(tmp_path, cameras, expected):
    table = write(
        tmp_path / 't.csv',
        [('q.jpg', 1, cameras[0], 'query'), ('g.jpg', 1, cameras[1], 'gallery')],
    )
    (problem,) = find_benchmark_problems(config_of(table))
    assert problem.startswith('test_dataloader.mine: ')
    assert expected in problem
    assert find_benchmark_problems(config_of(table, same_camera='keep')) == []


def test_a_valid_benchmark_has_no_problem(tmp_path):
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
    with pytest.raises(ConfigError) as caught:
        prepare_run(config)
    assert "folder 'nowhere' does not exist" in str(caught.value)
    assert 'task=' in str(caught.value)


def test_a_malformed_file_name_is_reported_without_traceback(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    folder = tmp_path / 'bounding_box_train'
    folder.mkdir()
    (folder / 'who.jpg').touch()
    config.train_dataloader.dataset = dict(type='Market1501', data_root=str(tmp_path))
    with pytest.raises(ConfigError, match=r'train_dataloader: .*who\.jpg'):
        prepare_run(config)


def test_a_pipeline_that_can_not_be_cached_is_reported(tmp_path):
    config = toy_config(tmp_path)
    config.image_cache = 'cache'
    config.train_pipeline = [dict(type='LoadImage'), dict(type='RandomFlip')]
    with pytest.raises(ConfigError, match='ResizeImage must come right after'):
        prepare_run(config)


def test_loops_of_mmengine_are_not_checked(tmp_path):
    config = Config(
        dict(
            test_dataloader=dict(batch_size=1, dataset=dict(type='ToyNumbers')),
            test_evaluator=dict(type='ToyScore'),
        )
    )
    assert find_benchmark_problems(config) == []


def with_cameras(config, num_cameras):
    config.model = dict(image_encoder=dict(num_cameras=num_cameras))
    return config


def test_cameras_without_an_embedding_are_reported(tmp_path):
    table = write(
        tmp_path / 't.csv', [('q.jpg', 1, 0, 'query'), ('g.jpg', 1, 5, 'gallery')]
    )
    assert find_benchmark_problems(with_cameras(config_of(table), 6)) == []
    (problem,) = find_benchmark_problems(with_cameras(config_of(table), 5))
    assert problem.startswith('test_dataloader.mine: 1 of 2 images have a camera')
    assert 'embedding of: 5. Expected 0 to 4, because of' in problem
    assert 'image_encoder.num_cameras=5' in problem
    table = write(
        tmp_path / 'u.csv', [('q.jpg', 1, '', 'query'), ('g.jpg', 1, 7, 'gallery')]
    )
    (problem,) = find_benchmark_problems(with_cameras(config_of(table), 5))
    assert '2 of 2' in problem
    assert 'embedding of: -1 (unknown), 7.' in problem


def test_cameras_of_every_training_set_are_checked(tmp_path):
    tables = [
        write(tmp_path / f'{i}.csv', [(f'{i}.jpg', 1, camera, 'train')])
        for i, camera in enumerate((2, 3))
    ]
    data = [dict(type='TableDataset', table=t, split='train') for t in tables]
    config = Config(
        dict(
            train_dataloader=dict(batch_size=1, dataset=data[0]),
            train_cfg=dict(
                stages=dict(
                    first=dict(epochs=1),
                    # The same images with another pipeline: reported once
                    second=dict(train_dataloader=dict(dataset=dict(pipeline=[]))),
                    third=dict(train_dataloader=dict(dataset=data[1])),
                )
            ),
        )
    )
    assert find_benchmark_problems(with_cameras(config, 4)) == []
    (problem,) = find_benchmark_problems(with_cameras(config, 3))
    assert problem.startswith('train_dataloader: 1 of 1 images')
    assert len(find_benchmark_problems(with_cameras(config, 2))) == 2
    config.train_cfg = {}
    assert len(find_benchmark_problems(with_cameras(config, 2))) == 1
