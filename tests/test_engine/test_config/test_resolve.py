"""Number of identities, and the part of a config that a test needs."""

from mmengine.config import Config

from hplreid.engine.config import fill_num_ids, inference_config
from tests.test_engine.engine_toy import toy_config


def test_identities_of_the_training_set_are_counted(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    fill_num_ids(config)
    assert config.model.num_ids == 3


def test_a_number_in_the_config_stays(tmp_path):
    config = toy_config(tmp_path)
    config.model.num_ids = 17
    fill_num_ids(config)
    assert config.model.num_ids == 17


def test_a_model_without_the_argument_gets_no_number():
    config = Config(dict(model=dict(type='BaseDataPreprocessor')))
    fill_num_ids(config)
    assert 'num_ids' not in config.model


def test_identities_are_those_of_the_first_stage(tmp_path):
    config = toy_config(tmp_path)
    config.model.pop('num_ids')
    config.train_dataloader.dataset.type = 'NoSuchData'
    config.train_cfg.stages.construct.train_dataloader = dict(
        dataset=dict(type='ToyNumbers')
    )
    fill_num_ids(config)
    assert config.model.num_ids == 3


def test_inference_config_has_neither_training_nor_pretrained_weights(tmp_path):
    config = toy_config(tmp_path, load_from='a.pth', resume=True)
    config.merge_from_dict(
        dict(
            model=dict(image_encoder=dict(pretrained='openai', arch='a')),
            test_cfg=dict(type='BenchmarkLoop'),
        )
    )
    before = Config.fromstring(config.pretty_text, '.py')
    inference = inference_config(config)
    assert inference.model == dict(
        type='ToyModel', image_encoder=dict(pretrained=None, arch='a')
    )
    assert inference.test_cfg.type == 'BenchmarkLoop'
    training = {'train_cfg', 'train_dataloader', 'optim_wrapper', 'load_from', 'resume'}
    assert not training & set(inference)
    assert config.to_dict() == before.to_dict()
