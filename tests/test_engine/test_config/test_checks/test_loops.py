"""A loop of tests never validates, nor the reverse."""

import pytest
from mmengine.config import Config

from hplreid.engine.config import ConfigError
from hplreid.engine.config.checks.loops import find_loop_problems
from hplreid.engine.loops import BenchmarkLoop
from hplreid.engine.run import prepare_run
from hplreid.registry import LOOPS
from tests.test_engine.engine_toy import toy_config


@LOOPS.register_module()
class OwnTestLoop(BenchmarkLoop):
    """A loop that somebody derived."""


@pytest.mark.parametrize(
    ('kind', 'sister'),
    [
        ('BenchmarkLoop', 'BenchmarkValLoop'),
        ('hplreid.BenchmarkLoop', 'BenchmarkValLoop'),
        (BenchmarkLoop, 'BenchmarkValLoop'),
        ('OwnTestLoop', 'BenchmarkValLoop'),
        ('TestLoop', 'ValLoop'),
        ('mmengine.TestLoop', 'ValLoop'),
    ],
)
def test_a_loop_of_tests_does_not_validate(kind, sister):
    (problem,) = find_loop_problems(Config(dict(val_cfg=dict(type=kind))))
    assert problem.startswith('val_cfg: ')
    assert problem.endswith(
        f"no training stopped early (EarlyStoppingHook). Use '{sister}'."
    )
    assert find_loop_problems(Config(dict(test_cfg=dict(type=kind)))) == []


@pytest.mark.parametrize('kind', ['BenchmarkValLoop', 'ValLoop'])
def test_a_loop_of_validation_does_not_test(kind):
    assert len(find_loop_problems(Config(dict(test_cfg=dict(type=kind))))) == 1
    assert find_loop_problems(Config(dict(val_cfg=dict(type=kind)))) == []


@pytest.mark.parametrize('value', [None, {}, dict(type='Unknown'), dict(fp16=True)])
def test_other_values_are_for_other_checks(value):
    assert find_loop_problems(Config(dict(val_cfg=value, test_cfg=value))) == []


def test_it_is_refused_before_anything_is_made(tmp_path):
    made = dict(type='SynthPeds', out=str(tmp_path / 'data'), size='tiny')
    config = toy_config(tmp_path / 'run', data_preparers=[made])
    config.val_cfg = dict(type='BenchmarkLoop')
    with pytest.raises(ConfigError, match="Use 'BenchmarkValLoop'"):
        prepare_run(config)
    assert list(tmp_path.iterdir()) == []
