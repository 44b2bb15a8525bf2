"""Finding and reading weights: every layout, every refusal."""

import pickle

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from hplreid.models.backbones import (
    CLIPImageEncoder,
    CLIPTextEncoder,
    WeightsError,
    find_weights,
    read_state_dict,
)
from hplreid.models.layers import guess_grid, resize_position_embedding

ARCH = 'ViT-Ti-16-synthpeds'


@pytest.fixture(scope='module')
def state():
    torch.manual_seed(0)
    return open_clip.create_model(ARCH, load_weights=False).state_dict()


def _write(state, layout, path):
    if layout == 'safetensors':
        save_file({k: v.contiguous() for k, v in state.items()}, path)
    elif layout == 'flat':
        torch.save(state, path)
    elif layout == 'text.':
        towers = {
            k if k.startswith('visual.') else f'text.{k}': v for k, v in state.items()
        }
        torch.save(towers, path)
    elif layout == 'compiled':
        torch.save(
            {
                f'module._orig_mod.{k.replace(".", "._orig_mod.", 1)}': v
                for k, v in state.items()
            },
            path,
        )
    elif layout == 'irra':
        torch.save(
            {'model': {f'base_model.{k}': v for k, v in state.items()}, 'epoch': 3},
            path,
        )
    elif layout == 'ours':
        ours = {
            f'image_encoder.{k}'
            if k.startswith('visual.')
            else f'text_encoder.text.{k}': v
            for k, v in state.items()
        }
        torch.save({'state_dict': ours, 'meta': {'epoch': 1}}, path)


@pytest.mark.parametrize(
    'layout', ['safetensors', 'flat', 'compiled', 'text.', 'irra', 'ours']
)
def test_layouts(state, layout, tmp_path):
    path = tmp_path / ('w.safetensors' if layout == 'safetensors' else 'w.pth')
    _write(state, layout, path)
    image = CLIPImageEncoder(ARCH, str(path), img_size=(128, 64))
    text = CLIPTextEncoder(ARCH, str(path))
    torch.testing.assert_close(image.visual.proj, state['visual.proj'])
    torch.testing.assert_close(text.token_table, state['token_embedding.weight'])


def test_torchscript_archive(state, tmp_path):
    class Archive(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.visual = torch.nn.Module()
            self.visual.conv1 = torch.nn.Conv2d(3, 4, 2, bias=False)

        def forward(self, x):
            return x

    path = tmp_path / 'archive.pt'
    module = Archive()
    torch.jit.script(module).save(path)
    read, quick_gelu_only = read_state_dict(path)
    assert quick_gelu_only
    torch.testing.assert_close(
        read['visual.conv1.weight'], module.visual.conv1.weight.data
    )


def test_quick_gelu_layout_needs_a_quick_gelu_arch(tmp_path):
    state = open_clip.create_model('ViT-B-32', load_weights=False).state_dict()
    path = tmp_path / 'irra.pth'
    _write({k: v for k, v in state.items() if 'resblocks.1' not in k}, 'irra', path)
    with pytest.raises(WeightsError, match="use arch='ViT-B-32-quickgelu'"):
        CLIPImageEncoder('ViT-B-32', str(path), img_size=(224, 224))


def test_tag_with_other_gelu_is_refused():
    with pytest.raises(WeightsError, match="QuickGELU: use arch='ViT-B-16-quickgelu'"):
        find_weights('ViT-B-16', 'openai')
    with pytest.raises(WeightsError, match="plain GELU: use arch='ViT-B-16'"):
        find_weights('ViT-B-16-quickgelu', 'laion2b_s34b_b88k')


@pytest.mark.parametrize(
    ('arch', 'pretrained', 'message'),
    [
        ('ViT-B-16-quickgelu', 'no-such-tag', 'Known tags: .*openai'),
        ('ViT-B-16-quickgelu', 'gone/w.pth', "pretrained='gone/w.pth' not found"),
        ('ViT-B-16-quickgelu', 'synthpeds', "are for arch='ViT-Ti-16-synthpeds'"),
        ('ViT-Q-1', 'openai', "Unknown architecture arch='ViT-Q-1'"),
    ],
)
def test_what_cannot_be_found(arch, pretrained, message):
    with pytest.raises(ValueError, match=message):
        find_weights(arch, pretrained)
    assert CLIPImageEncoder.find_problems(arch, pretrained)


def test_missing_cache_says_how_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *_: None)
    with pytest.raises(
        WeightsError, match='fetch_weights.py ViT-B-16-quickgelu openai'
    ):
        find_weights('ViT-B-16-quickgelu', 'openai')


def test_a_pickle_is_not_executed(tmp_path):
    marker = tmp_path / 'executed'

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), 'w'))

    path = tmp_path / 'evil.pth'
    path.write_bytes(pickle.dumps({'model': Evil()}))
    with pytest.raises(WeightsError, match="can't be read as a checkpoint"):
        read_state_dict(path)
    torch.save({'model': Evil()}, path)
    with pytest.raises(WeightsError, match="can't be read as a checkpoint"):
        read_state_dict(path)
    assert not marker.exists()


def test_file_of_something_else(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save({'fc.weight': torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r'holds no CLIP.*fc\.weight'):
        read_state_dict(path)


def test_missing_and_misshapen_tensors_are_named(state, tmp_path):
    path = tmp_path / 'w.pth'
    broken = dict(state)
    del broken['visual.ln_post.weight']
    broken['visual.proj'] = torch.zeros(3, 3)
    torch.save(broken, path)
    with pytest.raises(WeightsError, match=r'(?s)ln_post\.weight.*proj: \(3, 3\)'):
        CLIPImageEncoder(ARCH, str(path), img_size=(128, 64))


def test_position_embedding_by_hand():
    # One row of two patches to one of four: with half-pixel centers the weights of
    # the left one are 1, 3/4, 1/4, 0
    embedding = torch.tensor([[9.0], [0.0], [1.0]])
    resized = resize_position_embedding(embedding, (1, 2), (1, 4))
    np.testing.assert_allclose(resized[:, 0], [9.0, 0.0, 0.25, 0.75, 1.0])
    with pytest.raises(ValueError, match='3 positions do not make'):
        resize_position_embedding(embedding, (2, 2), (1, 4))


def test_positions_are_resized_on_load(state, tmp_path):
    path = tmp_path / 'w.pth'
    torch.save(state, path)
    tower = CLIPImageEncoder(
        ARCH, str(path), img_size=(256, 128), pretrained_grid=(8, 4)
    )
    expected = resize_position_embedding(
        state['visual.positional_embedding'], (8, 4), (16, 8)
    )
    torch.testing.assert_close(tower.visual.positional_embedding.data, expected)
    with pytest.raises(ValueError, match='Give `pretrained_grid'):
        CLIPImageEncoder(ARCH, str(path), img_size=(256, 128))


def test_grid_guess():
    assert guess_grid(196, (24, 8)) == (14, 14)
    assert guess_grid(192, (24, 8)) == (24, 8)
