"""Published files: scores to the digit for every method, and their metadata."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from hplreid.apis import get_model
from hplreid.apis.publishing import publish_model
from hplreid.models.backbones import TransReIDEncoder
from hplreid.registry import BACKBONES, MODELS
from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint

from .trained import METHODS, READ_CAPTIONS


@pytest.mark.parametrize('method', METHODS)
def test_scores_are_those_of_the_checkpoint_to_the_digit(tiny_runs, method):
    run = tiny_runs(method)
    published, said = run.published
    scores, features, _ = run.score(published, 'published')
    expected, of_checkpoint, _ = run.tested
    assert scores == expected
    for task in run.tasks:
        for side in ('query_feats', 'gallery_feats'):
            values = [getattr(f[task], side) for f in (features, of_checkpoint)]
            assert np.array_equal(*values)
    assert 'left out, which only training needs: ' in said
    assert f'{len(expected)} scores' in said


@pytest.mark.parametrize('method', METHODS)
def test_the_file_has_what_the_model_needs_at_test_and_no_more(tiny_runs, method):
    run = tiny_runs(method)
    published, _ = run.published
    content = read_checkpoint(published)
    model = get_model(published)
    assert content['state_dict'].keys() == model.state_dict().keys()
    assert not any(k.startswith('heads') for k in content['state_dict'])
    whole = read_checkpoint(run.checkpoint)['state_dict']
    for name, value in content['state_dict'].items():
        assert torch.equal(value, whole[name]), name
    assert len(whole) > len(content['state_dict'])


def test_metadata_are_plain_and_complete(tiny_runs):
    run = tiny_runs('HPL')
    published, _ = run.published
    with safe_open(published, 'pt') as file:
        meta = json.loads(file.metadata()['hplreid'])
    assert meta['num_ids'] == 6
    assert meta['metrics'] == run.tested[0]
    assert meta['dataset_meta'] == {'dataset_name': 'tiny', 'num_ids': 6}  # no people
    assert meta['note'] == 'tiny'
    assert meta['epoch'] == 2
    assert len(meta['weights_sha256']) == len(meta['checkpoint_sha256']) == 64
    steps = meta['preprocessing']['steps']['t2i']
    assert steps[1] == dict(type='ResizeImage', size=[32, 16], interpolation='bicubic')
    assert meta['preprocessing']['mean'] == [0.48145466, 0.4578275, 0.40821073]
    assert str(run.folder) not in meta['cfg'].replace(str(run.folder.parent), '')
    for training in ('optim_wrapper', 'num_ids', 'train_cfg', 'work_dir'):
        assert training not in meta['cfg']


def test_a_published_file_is_published_again_as_it_is(tiny_runs, tmp_path):
    published, _ = tiny_runs('HPL').published
    publish_model(published, tmp_path / 'b.safetensors')
    first, second = map(read_checkpoint, (published, tmp_path / 'b.safetensors'))
    for key in ('cfg', 'num_ids', 'weights_sha256', 'checkpoint_sha256', 'note'):
        assert first['meta'][key] == second['meta'][key], key


def test_a_changed_byte_is_an_error(tiny_runs, tmp_path):
    published, _ = tiny_runs('BoT').published
    data = bytearray(published.read_bytes())
    data[-7] ^= 1
    (tmp_path / 'a.safetensors').write_bytes(data)
    with pytest.raises(CheckpointError, match='checksum'):
        get_model(tmp_path / 'a.safetensors')


@pytest.mark.parametrize('method', ['HPL', *READ_CAPTIONS[:3]])
def test_towers_take_it_as_pretrained(tiny_runs, method):
    """Both class tokens of HPL too, so that the model is the trained one."""
    run = tiny_runs(method)
    published, _ = run.published
    config = run.config.model.to_dict()
    config['image_encoder'] = dict(config['image_encoder'], pretrained=str(published))
    config['text_encoder'] = dict(config['text_encoder'], pretrained=str(published))
    config['num_ids'] = None
    trained = read_checkpoint(published)['state_dict']
    for name, value in MODELS.build(config).state_dict().items():
        if name.startswith(('image_encoder.', 'text_encoder.')):
            assert torch.equal(value, trained[name]), name


@pytest.mark.parametrize('method', ['BoT', 'CLIP-ReID', 'PromptSG', 'TransReID'])
def test_image_towers_take_it_as_pretrained(tiny_runs, method):
    run = tiny_runs(method)
    published, _ = run.published
    config = run.config.model.to_dict()
    tower = dict(config['image_encoder'], pretrained=str(published))
    built = BACKBONES.build(tower).state_dict()
    trained = read_checkpoint(published)['state_dict']
    for name, value in built.items():
        assert torch.equal(value, trained[f'image_encoder.{name}']), name


def test_transreids_own_tower_takes_it_as_pretrained(tmp_path):
    sizes = dict(arch='vit_tiny_patch16_224', img_size=(64, 32))
    tower = TransReIDEncoder(**sizes)
    state = {f'image_encoder.{k}': v for k, v in tower.state_dict().items()}
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    again = TransReIDEncoder(pretrained=str(tmp_path / 'a.pth'), **sizes).state_dict()
    for name, value in tower.vit.state_dict().items():
        assert torch.equal(value, again[f'vit.{name}']), name


def test_metrics_of_other_weights_are_refused(tiny_runs, tmp_path):
    run, other = tiny_runs('HPL'), tiny_runs('CLIP')
    metrics = other.tested[2] / 'metrics.json'
    out = tmp_path / 'a.safetensors'
    with pytest.raises(CheckpointError, match='scores of other weights'):
        publish_model(run.checkpoint, out, metrics)
    assert not out.exists()
    assert 'no scores' in publish_model(run.checkpoint, out)


def test_a_file_without_a_config_is_refused(tmp_path):
    torch.save(dict(state_dict={'a': torch.ones(1)}), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='no config in it'):
        publish_model(tmp_path / 'a.pth', tmp_path / 'b.safetensors')
