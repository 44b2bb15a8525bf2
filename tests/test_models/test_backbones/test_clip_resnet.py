"""CLIP's ResNet against open_clip's own, and against its attention pool in loops."""

import logging

import open_clip
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MMLogger
from open_clip.modified_resnet import ModifiedResNet

from hplreid.models.backbones import CLIPResNetEncoder, WeightsError
from hplreid.models.layers import resize_position_embedding
from tests.test_models.test_reid.tiny import RESNET_ARCH, add_nano_arch

SIZE = (64, 32)


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))


@pytest.fixture(scope='module')
def reference():
    """open_clip's model, with statistics and gains that are not those of the start."""
    torch.manual_seed(0)
    model = open_clip.create_model(RESNET_ARCH, load_weights=False)
    for module in model.visual.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.double().eval()


@pytest.fixture(scope='module')
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'clip.pt'
    torch.save(reference.state_dict(), path)
    return str(path)


def build(weights, **kwargs):
    """The files hold fp32: compare to what that leaves of float64."""
    return CLIPResNetEncoder(RESNET_ARCH, weights, **kwargs).double().eval()


def images(size=SIZE, count=3):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 3, *size, dtype=torch.float64, generator=generator)


def test_with_clips_own_stride_it_is_open_clips(reference, weights):
    tower = build(weights, img_size=(64, 64), last_stride=2)
    square = images((64, 64))
    expected = reference.encode_image(square)
    torch.testing.assert_close(tower(square)['v'], expected, rtol=0, atol=1e-5)


def test_maps_without_the_last_stride(reference, weights):
    visual = reference.visual
    third = visual.layer3(visual.layer2(visual.layer1(visual.stem(images()))))
    # open_clip's last layer, made with stride 1 and given the same weights
    other = ModifiedResNet([1, 1, 1, 1], 16, 4, image_size=64, width=8)
    other._inplanes = 128
    layer = other._make_layer(64, 1, stride=1).double().eval()
    layer.load_state_dict(visual.layer4.state_dict())
    fourth = layer(third)
    assert fourth.shape == (3, 256, 4, 2)
    features = build(weights, img_size=SIZE)(images())
    for name, maps in (('v_penultimate', third), ('v_post', fourth)):
        expected = F.avg_pool2d(maps, maps.shape[2:]).flatten(1)
        torch.testing.assert_close(features[name], expected, rtol=0, atol=1e-5)


def test_every_token_of_the_attention_pool_by_loops(weights):
    tower = build(weights, img_size=SIZE)
    visual, pool = tower.visual, tower.visual.attnpool
    maps = visual.layer4(
        visual.layer3(visual.layer2(visual.layer1(visual.stem(images()))))
    )
    tokens = tower(images())['image_tokens']
    assert tokens.shape == (3, 1 + 4 * 2, 16)
    # Its own forward, which keeps the first token
    torch.testing.assert_close(tokens[:, 0], pool(maps))
    for row in range(3):
        places = [maps[row, :, i, j] for i in range(4) for j in range(2)]
        x = torch.stack([sum(places) / 8, *places]) + pool.positional_embedding
        query, key, value = (p(x) for p in (pool.q_proj, pool.k_proj, pool.v_proj))
        for place in (0, 3, 8):
            parts = []
            for head in range(4):
                own = slice(64 * head, 64 * (head + 1))
                scores = torch.stack([query[place, own] @ k / 8 for k in key[:, own]])
                shares = scores.exp() / scores.exp().sum()
                parts.append(shares @ value[:, own])
            expected = pool.c_proj(torch.cat(parts))
            torch.testing.assert_close(tokens[row, place], expected)


def test_positions_are_interpolated_and_told(reference, weights, caplog):
    logger = MMLogger.get_current_instance()  # doesn't hand on what it gets
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, logger.name):
        tower = build(weights, img_size=SIZE)
    logger.removeHandler(caplog.handler)
    old = reference.visual.attnpool.positional_embedding.float()
    assert len(old) == 1 + 2 * 2
    torch.testing.assert_close(
        tower.visual.attnpool.positional_embedding.float(),
        resize_position_embedding(old, (2, 2), (4, 2)),
    )
    assert 'interpolated from 2x2 to 4x2' in caplog.text
    assert 'CLIPResNetEncoder: loaded all' in caplog.text


def test_a_grid_that_can_not_be_guessed_can_be_given(weights, tmp_path):
    state = torch.load(weights, weights_only=True)
    positions = 'visual.attnpool.positional_embedding'
    state[positions] = torch.randn(1 + 3 * 1, 256)
    torch.save(state, tmp_path / 'w.pt')
    path = str(tmp_path / 'w.pt')
    with pytest.raises(ValueError, match='pretrained_grid'):
        build(path, img_size=SIZE)
    build(path, img_size=SIZE, pretrained_grid=(3, 1))


def test_batch_counters_may_be_absent_and_nothing_else(weights, tmp_path):
    state = torch.load(weights, weights_only=True)
    path = tmp_path / 'w.pt'
    torch.save({k: v for k, v in state.items() if 'num_batches' not in k}, path)
    expected = build(weights, img_size=SIZE)(images())
    found = build(str(path), img_size=SIZE)(images())
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    for lost in ('visual.layer4.0.bn1.weight', 'visual.attnpool.positional_embedding'):
        torch.save({k: v for k, v in state.items() if k != lost}, path)
        with pytest.raises(WeightsError, match=lost.removeprefix('visual.')):
            build(str(path), img_size=SIZE)


def test_widths_and_grid_of_the_full_size():
    with torch.device('meta'):
        tower = CLIPResNetEncoder('RN50-quickgelu', img_size=(256, 128))
        features = tower(torch.empty(2, 3, 256, 128))
    assert tower.grid == (16, 8)
    assert {k: tuple(v.shape) for k, v in features.items()} == {
        'image_tokens': (2, 129, 1024),
        'v': (2, 1024),
        'v_post': (2, 2048),
        'v_penultimate': (2, 1024),
    }
    assert {k: v.shape[-1] for k, v in features.items()} == tower.feature_dims
    # CLIP's 38,316,896 (its model card's RN50), and 16 x 8 positions for 7 x 7
    count = sum(p.numel() for p in tower.parameters())
    assert count == 38_316_896 + (16 * 8 - 7 * 7) * 2048


def test_gradient_reaches_every_weight(weights):
    tower = build(weights, img_size=SIZE).train()
    sum(f.square().sum() for f in tower(images()).values()).backward()
    for name, parameter in tower.named_parameters():
        assert name.startswith('visual.'), name
        # A key's bias adds one number to all scores of a query, which softmax drops
        if name != 'visual.attnpool.k_proj.bias':
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(arch='ViT-B-16-quickgelu'), 'has no ResNet: use CLIPImageEncoder'),
        (dict(arch=RESNET_ARCH, img_size=(64, 30)), r'\(64, 30\).*multiples of 16'),
        (
            dict(arch=RESNET_ARCH, img_size=(64, 48), last_stride=2),
            'multiples of 32',
        ),
        (dict(arch=RESNET_ARCH, last_stride=3), 'last_stride=3'),
    ],
)
def test_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CLIPResNetEncoder(**kwargs)


def test_missing_weights_are_found_before_building(tmp_path):
    find = CLIPResNetEncoder.find_problems
    assert find(arch=RESNET_ARCH) == []
    (problem,) = find(RESNET_ARCH, f'{tmp_path}/nowhere.pt', img_size=SIZE)
    assert 'nowhere.pt' in problem
    (problem,) = find('RN50', 'openai')
    assert "use arch='RN50-quickgelu'" in problem
