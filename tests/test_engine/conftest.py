"""Shorter runs: MMEngine isn't to ask every compiler for its version at each start."""

import mmengine.runner.runner
import pytest


@pytest.fixture(scope='package', autouse=True)
def _skip_environment_report():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine.runner.runner, 'collect_env', dict)
        yield
