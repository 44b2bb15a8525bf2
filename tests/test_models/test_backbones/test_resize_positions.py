"""Towers take weights that were trained at another image size."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hplreid.models.layers import refit_positions
from hplreid.registry import MODELS
from hplreid.utils.checkpoints.checkpoint import CheckpointError, read_checkpoint
from hplreid.utils.checkpoints.load_weights import (
    fit_for_training,
    load_inference_weights,
)
from tests.test_models.test_reid.tiny import ARCH, RESNET_ARCH, add_nano_arch

VIT = 'vit_tiny_patch16_224'
# Tower, its weight, the trained grid and the new one
CASES = {
    'CLIP': (
        dict(type='CLIPImageEncoder', arch=ARCH),
        dict(img_size=(32, 16)),
        dict(img_size=(48, 24)),
        ('visual.positional_embedding', (4, 2), (6, 3)),
    ),
    'CLIP turned': (  # as many patches, in another grid
        dict(type='CLIPImageEncoder', arch=ARCH),
        dict(img_size=(32, 16)),
        dict(img_size=(16, 32)),
        ('visual.positional_embedding', (4, 2), (2, 4)),
    ),
    'CLIP overlapping': (
        dict(type='CLIPImageEncoder', arch=ARCH),
        dict(img_size=(32, 16), stride=4),
        dict(img_size=(40, 24), stride=8),
        ('visual.positional_embedding', (7, 3), (5, 3)),
    ),
    'two class tokens': (
        dict(type='TaskRoutedTransformer', arch=ARCH, i2i_position='random'),
        dict(img_size=(32, 16)),
        dict(img_size=(24, 24)),
        ('visual.positional_embedding', (4, 2), (3, 3)),
    ),
    'TransReID overlapping': (
        dict(type='TransReIDEncoder', arch=VIT, arch_options=dict(depth=1)),
        dict(img_size=(64, 32), stride=12),
        dict(img_size=(80, 48), stride=12),
        ('vit.pos_embed', (5, 2), (6, 3)),
    ),
    'attention pool': (
        dict(type='CLIPResNetEncoder', arch=RESNET_ARCH),
        dict(img_size=(64, 32), last_stride=2),
        dict(img_size=(48, 32), last_stride=1),
        ('visual.attnpool.positional_embedding', (2, 1), (3, 2)),
    ),
}


@pytest.fixture(scope='module', autouse=True)
def _arch(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


def interpolate(patches, new):
    """Bilinear interpolation between centers of cells, in loops."""
    rows, columns, _ = patches.shape
    out = np.zeros((*new, patches.shape[2]))
    for i in range(new[0]):
        for j in range(new[1]):
            y = min(max((i + 0.5) * rows / new[0] - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / new[1] - 0.5, 0), columns - 1)
            for r in range(rows):
                for c in range(columns):
                    weight = max(0, 1 - abs(y - r)) * max(0, 1 - abs(x - c))
                    out[i, j] += weight * patches[r, c]
    return out


def config_of(tower, **size):
    return dict(type='ImageReID', image_encoder={**tower, **size})


def save(path, model, config):
    meta = dict(cfg=Config(dict(model=config)).pretty_text)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path


@pytest.fixture(params=CASES)
def case(request, tmp_path):
    tower, old, new, (name, old_grid, new_grid) = CASES[request.param]
    torch.manual_seed(0)
    trained = MODELS.build(config_of(tower, **old))
    path = save(tmp_path / 'a.pth', trained, config_of(tower, **old))
    config = config_of(tower, **new)
    return path, trained, config, f'image_encoder.{name}', old_grid, new_grid


def check(case, found, said):
    _, trained, _, name, old_grid, new_grid = case
    old = trained.state_dict()
    assert (
        f'image_encoder: positions interpolated from a grid of {old_grid[0]}x'
        f'{old_grid[1]} patches to {new_grid[0]}x{new_grid[1]}'
    ) in said
    assert all(torch.equal(found[k], v) for k, v in old.items() if k != name)
    before, after = (s[name].flatten(0, -2).double() for s in (old, found))
    assert torch.equal(after[0], before[0])
    expected = interpolate(before[1:].reshape(*old_grid, -1).numpy(), new_grid)
    np.testing.assert_allclose(
        after[1:].reshape(*new_grid, -1).numpy(), expected, atol=1e-6
    )


def test_positions_are_interpolated_at_test(case):
    path, _, config, *_ = case
    model = MODELS.build(config)
    said = load_inference_weights(model, path, config)
    check(case, model.state_dict(), said)


def test_positions_are_interpolated_in_load_from(case):
    path, _, config, *_ = case
    model = MODELS.build(config)
    state, said = fit_for_training(model, read_checkpoint(path), path, config)
    check(case, state, said)


def test_the_same_size_changes_nothing(tmp_path):
    tower, old, *_ = CASES['two class tokens']
    config = config_of(tower, **old)
    trained, model = MODELS.build(config), MODELS.build(config)
    path = save(tmp_path / 'a.pth', trained, config)
    assert load_inference_weights(model, path, config).endswith('; no others')
    own = model.state_dict()
    assert all(torch.equal(own[k], v) for k, v in trained.state_dict().items())


def test_other_settings_are_said(tmp_path):
    tower, old, *_ = CASES['attention pool']
    trained = config_of(tower, **old)
    path = save(tmp_path / 'a.pth', MODELS.build(trained), trained)
    config = config_of(tower, img_size=(64, 32), last_stride=1)
    said = load_inference_weights(MODELS.build(config), path, config)
    assert (
        '1 differ in the config: image_encoder.last_stride: 2 in the file, 1 in the '
        'config'
    ) in said


def test_an_unknown_grid_is_asked_for(tmp_path):
    tower, old, new, _ = CASES['CLIP']
    path = tmp_path / 'a.pth'
    torch.save(MODELS.build(config_of(tower, **old)).state_dict(), path)
    with pytest.raises(CheckpointError, match='(?s)8 patch.*Give `pretrained_grid='):
        load_inference_weights(MODELS.build(config_of(tower, **new)), path)
    told = MODELS.build(config_of(tower, **new, pretrained_grid=[4, 2]))
    assert '4x2 patches to 6x3' in load_inference_weights(told, path)


def test_what_are_no_positions_is_left_for_the_comparison_of_shapes():
    for strange in (torch.zeros(9), torch.zeros(9, 4, dtype=torch.int64)):
        assert refit_positions(strange, (4, 2))[0] is strange
    wrong = torch.zeros(9, 4)
    assert refit_positions(wrong, (4, 2), trained_grid=(3, 3))[0] is wrong
