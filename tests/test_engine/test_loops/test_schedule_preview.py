"""The simulated learning rates are those that a training logs."""

import json

import numpy as np
import pytest

from hplreid.engine.loops.schedule_preview import preview_schedule
from hplreid.engine.loops.stage import Stage, parse_stages
from tests.test_engine.engine_toy import toy_config, train


def test_a_training_logs_the_same(tmp_path):
    config = toy_config(
        tmp_path,
        default_hooks=dict(logger=dict(interval=1)),
        visualizer=dict(
            type='RunVisualizer', vis_backends=[{'type': 'LocalVisBackend'}]
        ),
    )
    runner = train(config)
    runner.visualizer.close()
    (path,) = tmp_path.rglob('scalars.json')
    logged = [json.loads(line) for line in path.read_text().splitlines()]
    stages = parse_stages(
        config.train_cfg.stages, config.optim_wrapper, config.train_dataloader
    )
    previews = [preview_schedule(stage, steps=3) for stage in stages]
    names = list(previews[1])
    assert names == ['all others', 'heads.align (x 5)', 'bias (x 2)']
    # MMEngine logs `base_lr` where groups differ
    logged_rates = [line.get('base_lr', line['lr']) for line in logged]
    base = np.concatenate([preview['all others'] for preview in previews])
    assert len(base) == len(logged) == 2 * 3 + 3 * 3
    np.testing.assert_allclose(base, logged_rates, rtol=1e-12)
    heads, biases = (previews[1][name] for name in names[1:])
    np.testing.assert_allclose(heads, 5 * previews[1]['all others'], rtol=1e-12)
    np.testing.assert_allclose(biases, 2 * previews[1]['all others'], rtol=1e-12)


def test_what_cannot_be_previewed():
    stage = Stage('a', 1, ('x',), dict(optimizer=dict(type='SGD', lr=0.1)))
    with pytest.raises(ValueError, match="Stage 'a'.*0 steps"):
        preview_schedule(stage, 0)
    with pytest.raises(ValueError, match='lr=None'):
        preview_schedule(Stage('a', 1, ('x',), dict(optimizer={})), 3)
