"""Ways to use several processes that a config may ask for in vain."""

import pytest
from mmengine.config import Config

from hplreid.engine.config.check import ConfigError, check_config

WRAPPER = dict(type='ReIDDataParallel', sync_bn=True)


@pytest.mark.parametrize(
    ('asked', 'place'),
    [
        (dict(model_wrapper_cfg=dict(type='MMFullyShardedDataParallel')), 'model_wra'),
        (dict(strategy=dict(type='FSDPStrategy')), 'strategy='),
        (dict(runner_type='FlexibleRunner'), "runner_type='FlexibleRunner'"),
    ],
)
def test_the_sharding_of_mmengine_is_refused_in_words(asked, place):
    with pytest.raises(ConfigError) as error:
        check_config(Config(asked))
    message = str(error.value)
    assert f'1. {place}' in message
    assert 'has no stages' in message
    assert "model_wrapper_cfg.type='ReIDFullySharded'" in message


def test_the_key_of_mmengine_says_where_ours_is():
    with pytest.raises(ConfigError, match=r'model_wrapper_cfg.sync_bn.*Remove the key'):
        check_config(Config(dict(sync_bn='torch', model_wrapper_cfg=WRAPPER)))


def test_an_unknown_wrapper_is_found():
    wrapper = dict(type='ReIDDataParalel')
    with pytest.raises(ConfigError, match="'ReIDDataParalel' is not a registered"):
        check_config(Config(dict(model_wrapper_cfg=wrapper)))
    check_config(Config(dict(model_wrapper_cfg=WRAPPER)))
