"""The tools of inference as programs: publish, extract, and what they refuse."""

import pytest
import torch
from PIL import Image

from hplreid.apis.extraction import read_feature_table
from hplreid.models.backbones import find_weights
from hplreid.utils.checkpoints.weights_file import write_weights

from .programs import run

NAME = 'clip_tiny_synthpeds-t2i_sdm'


@pytest.fixture(scope='module')
def crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp('crops')
    for number, color in enumerate(('red', 'green', 'blue')):
        Image.new('RGB', (32, 64), color).save(folder / f'{number}.png')
    (folder / '3.png').write_bytes(b'no image')
    return folder


def test_a_folder_is_extracted_and_bad_images_are_listed(crops, tmp_path):
    out = tmp_path / 'a.parquet'
    arguments = (NAME, out, '--weights', 'pretrained', '--images', crops)
    done = run('extract_features.py', *arguments)
    assert f'{out}: features of 3 images' in done.stdout
    assert "1 images can't be read and have none:\n  Image" in done.stdout
    assert read_feature_table(out)[1].shape == (3, 128)
    again = run('extract_features.py', *arguments, check=False)
    assert again.returncode == 2
    assert 'exists: give --overwrite' in again.stderr
    strict = run(
        'extract_features.py', *arguments, '--strict', '--overwrite', check=False
    )
    assert strict.returncode == 2
    assert "3.png' can't be decoded" in strict.stderr
    assert 'Traceback' not in strict.stderr


def test_a_missing_folder_is_a_message(tmp_path):
    done = run(
        'extract_features.py',
        *(NAME, tmp_path / 'a.safetensors', '--weights', 'pretrained'),
        *('--images', tmp_path / 'nothing'),
        check=False,
    )
    assert done.returncode == 2
    assert "nothing' does not exist" in done.stderr


def checkpoint(path, necks):
    """Write a tiny model whose retrieval needs a neck, or doesn't."""
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    from hplreid.registry import MODELS

    DefaultScope.get_instance('hplreid-tests', scope_name='hplreid')
    model = dict(
        type='DualEncoder',
        image_encoder=dict(
            type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds', img_size=(128, 64)
        ),
        text_encoder=dict(type='CLIPTextEncoder'),
        num_ids=3,
    )
    if necks:
        model.update(necks=dict(bn=dict(type='BNNeck', reads='v')), i2i_feature='bn')
    state = MODELS.build(dict(model)).state_dict()
    meta = dict(cfg=Config(dict(model=model)).pretty_text)
    torch.save(dict(state_dict=state, meta=meta), path)


def test_publish_clip_refuses_where_scores_would_change(tmp_path):
    checkpoint(tmp_path / 'necks.pth', necks=True)
    arguments = (tmp_path / 'necks.pth', tmp_path / 'a.safetensors')
    done = run('model_converters/publish_clip.py', *arguments, check=False)
    assert done.returncode == 2
    assert 'at test the model needs more than its towers: necks.bn' in done.stderr
    assert 'publish_model.py' in done.stderr
    assert not (tmp_path / 'a.safetensors').exists()
    done = run('model_converters/publish_clip.py', *arguments, '--towers-only')
    assert 'left out: necks.bn' in done.stdout
    checkpoint(tmp_path / 'plain.pth', necks=False)
    done = run(
        'model_converters/publish_clip.py',
        *(tmp_path / 'plain.pth', tmp_path / 'b.safetensors'),
    )
    assert 'left out: nothing' in done.stdout


def test_publish_clip_says_that_there_is_no_text_tower(tmp_path):
    weights = {'image_encoder.visual.conv1.weight': torch.ones(2, 3)}
    write_weights(tmp_path / 'a.safetensors', weights, {})
    done = run(
        'model_converters/publish_clip.py',
        *(tmp_path / 'a.safetensors', tmp_path / 'b.safetensors'),
    )
    assert 'there is no text tower in it' in done.stdout


def test_publish_model_wants_a_checkpoint_with_a_config(tmp_path):
    shipped = find_weights('ViT-Ti-16-synthpeds', 'synthpeds')
    out = tmp_path / 'a.safetensors'
    done = run('model_converters/publish_model.py', shipped, out, check=False)
    assert done.returncode == 2
    assert 'has no config in it' in done.stderr
    assert not out.exists()
