"""torchvision's ResNet as a tower, and one of mmpretrain's in its place."""

import pytest
import torch
import torchvision
from mmengine.registry import DefaultScope
from safetensors.torch import save_file

from hplreid.models.backbones import ResNetEncoder, WeightsError
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from tests.test_models.test_reid.tiny import NUM_IDS, make_batch


def images(count=2, size=(64, 32)):
    torch.manual_seed(1)
    return torch.randn(count, 3, *size)


@pytest.fixture(scope='module')
def reference():
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None).eval()


def test_map_is_that_of_torchvision(reference, tmp_path):
    path = tmp_path / 'w.pth'
    torch.save(reference.state_dict(), path)
    tower = ResNetEncoder('resnet18', str(path), last_stride=2).eval()
    found = tower(images())['map']
    layers = list(reference.children())[:-2]
    torch.testing.assert_close(found, torch.nn.Sequential(*layers)(images()))
    assert found.shape == (2, 512, 2, 1)


@pytest.mark.parametrize(
    ('arch', 'width'),
    [('resnet18', 512), ('resnet50', 2048), ('resnext50_32x4d', 2048)],
)
def test_last_stride_keeps_the_map_large(arch, width):
    with torch.device('meta'):
        towers = [ResNetEncoder(arch, last_stride=stride) for stride in (1, 2)]
    images = torch.empty(2, 3, 256, 128, device='meta')
    large, small = (tower(images)['map'] for tower in towers)
    assert large.shape == (2, width, 16, 8)
    assert small.shape == (2, width, 8, 4)
    assert towers[0].feature_dims == {'map': width}
    # Without the classifier of 1,000 ImageNet classes
    with torch.device('meta'):
        plain = torchvision.models.get_model(arch, weights=None)
    total = sum(p.numel() for p in plain.parameters()) - 1000 * (width + 1)
    assert sum(p.numel() for p in towers[0].parameters()) == total


def test_gradient_reaches_every_parameter():
    tower = ResNetEncoder('resnet18')
    tower(images())['map'].square().sum().backward()
    for name, parameter in tower.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('layout', ['safetensors', '', 'state_dict', 'old'])
def test_weights_of_a_file(reference, layout, tmp_path):
    state = reference.state_dict()
    path = tmp_path / ('w.safetensors' if layout == 'safetensors' else 'w.pth')
    if layout == 'safetensors':
        save_file(state, path)
    elif layout == 'old':  # of the time before BatchNorm counted its batches
        kept = {k: v for k, v in state.items() if 'num_batches' not in k}
        torch.save(kept, path)
    else:
        torch.save({layout: state} if layout else state, path)
    loaded = ResNetEncoder('resnet18', str(path)).resnet.state_dict()
    assert set(state) - set(loaded) == {'fc.weight', 'fc.bias'}
    assert all(torch.equal(loaded[name], state[name]) for name in loaded)


def test_what_does_not_fit_is_named(reference, tmp_path):
    path = tmp_path / 'w.pth'
    state = dict(reference.state_dict())
    del state['layer3.0.bn1.running_mean']
    torch.save(state, path)
    with pytest.raises(WeightsError, match=r'layer3\.0\.bn1\.running_mean'):
        ResNetEncoder('resnet18', str(path))


@pytest.mark.parametrize(
    ('arch', 'pretrained', 'message'),
    [
        ('resnet50', 'gone/w.pth', "pretrained='gone/w.pth' not found"),
        ('resnet50', 'IMAGENET22K', 'expected one of IMAGENET1K_V1, IMAGENET1K_V2'),
        ('vit_b_16', None, "arch='vit_b_16' is no ResNet.*resnet50"),
    ],
)
def test_preflight_says_what_building_would(arch, pretrained, message):
    with pytest.raises(ValueError, match=message) as error:
        ResNetEncoder(arch, pretrained)
    assert ResNetEncoder.find_problems(arch, pretrained) == [str(error.value)]


def test_named_weights_are_looked_for_in_the_cache(tmp_path, monkeypatch, reference):
    monkeypatch.setattr('torch.hub.get_dir', lambda: str(tmp_path))
    (problem,) = ResNetEncoder.find_problems('resnet18', 'IMAGENET1K_V1')
    assert (
        "torchvision.models.get_model('resnet18', weights='IMAGENET1K_V1')" in problem
    )
    path = tmp_path / 'checkpoints' / 'resnet18-f37072fd.pth'
    path.parent.mkdir()
    torch.save(reference.state_dict(), path)
    assert ResNetEncoder.find_problems('resnet18', 'IMAGENET1K_V1') == []
    tower = ResNetEncoder('resnet18', 'IMAGENET1K_V1')
    assert torch.equal(tower.resnet.conv1.weight, reference.conv1.weight)


def test_stride_must_be_one_or_two():
    with pytest.raises(ValueError, match='last_stride=3:'):
        ResNetEncoder('resnet18', last_stride=3)


TOWERS = {
    'ours': dict(image_encoder=dict(type='ResNetEncoder', arch='resnet18')),
    'mmpretrain': dict(
        image_encoder=dict(type='mmpretrain.ResNet', depth=18, strides=(1, 2, 2, 1)),
        feature_dims=dict(map=512),
    ),
}


@pytest.mark.parametrize('tower', TOWERS)
def test_it_trains_and_predicts_in_a_method(tower):
    """Pooling, BNNeck, heads and retrieval on either tower's map."""
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='ImageReID',
            **TOWERS[tower],
            necks=dict(
                f_t=dict(type='GeM', reads='map'), f_i=dict(type='BNNeck', reads='f_t')
            ),
            i2i_feature=['f_i'],
            heads=dict(
                identify=[
                    dict(type='IDHead', feature='f_i', neck=None),
                    dict(type='TripletHead', feature='f_t'),
                    dict(type='CenterHead', feature='f_t', loss_weight=5e-4),
                ]
            ),
            num_ids=NUM_IDS,
        )
    ).double()
    batch = make_batch(captioned=0, image_only=8)
    model.enter_stage('identify')
    losses = model.loss(batch)
    assert set(losses) == {'loss_id', 'loss_triplet', 'loss_center'}
    sum(losses.values()).backward()
    unmoved = [n for n, p in model.named_parameters() if p.grad is None]
    assert not unmoved
    samples = [ReIDDataSample() for _ in range(8)]
    with torch.no_grad():
        model.eval()(batch, samples, mode='predict')
        maps = model.image_encoder(batch['images'])
    maps = maps['map'] if tower == 'ours' else maps[-1]
    pooled = maps.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
    bn = model.necks['f_i'].bn
    expected = (pooled - bn.running_mean) / (bn.running_var + 1e-5).sqrt()
    found = torch.stack([s.i2i_feat for s in samples])
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-4)
