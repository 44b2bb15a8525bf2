"""Reading configs: their text is written often, so it must be quick and exact."""

from copy import deepcopy

from mmengine.config import Config

from hplreid.engine.config import read_config


def test_the_text_of_a_config_reads_back_as_the_same_config(tmp_path):
    config = read_config('configs/hpl/hpl_tiny_synthpeds.py', {'model.num_ids': 4})
    config.dump(tmp_path / 'dumped.py')
    dumped = Config.fromfile(str(tmp_path / 'dumped.py'))
    assert dumped.to_dict() == config.to_dict()


def test_no_text_of_a_config_waits_for_a_formatter(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('formatting takes half a second, at every checkpoint')

    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', refuse)
    config = read_config('configs/hpl/hpl_tiny_synthpeds.py')
    assert config.pretty_text == deepcopy(config).pretty_text  # the runner's is a copy
