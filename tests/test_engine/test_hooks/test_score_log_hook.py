"""What TensorBoard's own reader finds of a training, its test and its ranked lists."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.test_engine.engine_toy import toy_config, train
from tests.test_evaluation.toy import build_runner, loader, metric

reader = pytest.importorskip(
    'tensorboard.backend.event_processing.event_accumulator',
    reason='tensorboard is an extra',
)


def backends():
    return [dict(type='TensorboardVisBackend')]  # MMEngine writes into it


def read(folder):
    (path,) = folder.rglob('events.out.tfevents.*')
    events = reader.EventAccumulator(str(path))
    events.Reload()
    return events


def test_scores_and_ranked_lists_of_a_test(tmp_path):
    image = tmp_path / 'person.png'
    Image.new('RGB', (20, 40), (1, 2, 250)).save(image)
    runner = build_runner(
        tmp_path / 'work',
        test_cfg={'type': 'BenchmarkLoop'},
        test_dataloader={'a_i2i': loader(0, img_path=str(image))},
        test_evaluator={'a_i2i': metric('i2i')},
        default_hooks={'logger': {'type': 'ScoreLogHook'}},
        custom_hooks=[{'type': 'RankedListHook', 'num_queries': 2, 'topk': 3}],
        visualizer={
            'type': 'RunVisualizer',
            'name': str(tmp_path),
            'vis_backends': backends(),
        },
    )
    scores = runner.test()
    runner.visualizer.close()
    events = read(tmp_path / 'work')
    assert len(scores) >= 5
    for name, score in scores.items():
        (point,) = events.Scalars(f'test/{name}')
        assert point.step == 0  # nothing was trained
        assert point.value == pytest.approx(score, rel=1e-6)
    (page,) = events.Images('ranked_lists_a_i2i')
    with Image.open(io.BytesIO(page.encoded_image_string)) as found:
        shown = np.asarray(found.convert('RGB'))
    with Image.open(tmp_path / 'work/ranked_lists/a_i2i.png') as file:
        assert np.array_equal(shown, np.asarray(file))


def test_losses_of_a_training(tmp_path):
    visualizer = dict(type='RankedListVisualizer', vis_backends=backends())
    hooks = dict(logger=dict(type='ScoreLogHook', interval=1))
    config = toy_config(tmp_path, visualizer=visualizer, default_hooks=hooks)
    train(config).visualizer.close()
    events = read(tmp_path)
    for name in ('loss', 'loss_pull', 'loss_id', 'lr', 'grad_norm'):
        steps = [point.step for point in events.Scalars(name)]
        assert steps == list(range(1, 16)), name
        assert np.isfinite([point.value for point in events.Scalars(name)]).all()
