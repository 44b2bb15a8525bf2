"""What towers of other code bases make is found out, whatever form it has."""

import pytest
import torch
from torch import nn

from hplreid.models.backbones.foreign_tower import ForeignFeatures, encode_blank


class Returns(nn.Module):
    """A tower that returns something made of the mean color."""

    def __init__(self, make, **attributes):
        super().__init__()
        self.make = make
        self.norm = nn.BatchNorm2d(3)
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, images):
        return self.make(self.norm(images))


def pool(images):
    return nn.functional.adaptive_avg_pool2d(images, (4, 2))


def tokens(images):
    return pool(images).flatten(2).transpose(1, 2)


def with_class_token(images):
    x = tokens(images)
    return torch.cat([x.sum(1, keepdim=True), x], dim=1)


FORMS = {
    'map': (pool, {}, ['map', 'vector', 'tokens']),
    'stages': (lambda x: (x, pool(x)), {}, ['map', 'vector', 'tokens']),
    'nested': (lambda x: [x, [x, pool(x)]], {}, ['map', 'vector', 'tokens']),
    'tokens': (tokens, {}, ['map', 'vector', 'tokens']),
    'class token': (
        with_class_token,
        dict(num_prefix_tokens=1),
        ['map', 'vector', 'tokens'],
    ),
    'vector': (lambda x: x.mean((2, 3)), {}, ['map', 'vector']),
    'channels last': (
        lambda x: pool(x).permute(0, 2, 3, 1),
        dict(output_fmt='NHWC'),
        ['map', 'vector', 'tokens'],
    ),
}


@pytest.mark.parametrize('name', FORMS)
def test_every_form_serves(name):
    make, attributes, kinds = FORMS[name]
    tower = Returns(make, **attributes)
    features = ForeignFeatures(tower, (64, 32))
    assert sorted(form.kind for form in features.forms.values()) == sorted(kinds)
    assert all(form.width == 3 for form in features.forms.values())
    images = torch.randn(5, 3, 64, 32)
    tower.eval()
    found = features.read(tower(images), (64, 32))
    normed = tower.norm(images)
    place = normed.mean((2, 3))
    expected = tokens(normed).sum(1) if name == 'class token' else place
    torch.testing.assert_close(found['v'], expected)
    if name == 'vector':
        torch.testing.assert_close(found['map'], place[:, :, None, None])
        return
    torch.testing.assert_close(found['map'], pool(normed))
    torch.testing.assert_close(found['image_tokens'][:, 1:], tokens(normed))
    torch.testing.assert_close(found['image_tokens'][:, 0], found['v'])


def test_measuring_changes_nothing():
    tower = Returns(pool).train()
    tower.norm.momentum = None
    before = {k: v.clone() for k, v in tower.state_dict().items()}
    state = torch.get_rng_state()
    ForeignFeatures(tower)
    assert tower.training
    assert tower.norm.training
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(tower.state_dict(), before)


def test_what_needs_values_is_run_on_the_cpu():
    tower = Returns(lambda x: pool(x) * (1 if x.sum().item() == 0 else 2))
    assert encode_blank(tower, (64, 32)).device.type == 'cpu'
    assert encode_blank(Returns(pool), (64, 32)).device.type == 'meta'


def test_a_tower_of_one_size_is_tried_on_several():
    def make(images):
        if images.shape[-2:] != (224, 224):
            raise AssertionError('224 alone')
        return pool(images)

    assert ForeignFeatures(Returns(make)).forms['map'].width == 3
    with pytest.raises(ValueError, match='64x32: AssertionError: 224 alone'):
        ForeignFeatures(Returns(make), (64, 32))


@pytest.mark.parametrize(
    ('make', 'found'),
    [
        (lambda x: dict(a=x), 'a dict of a'),
        (lambda x: x.mean(), r'a tensor of shape \(\)'),
        (lambda x: (), 'tuple'),
        (lambda x: None, 'NoneType'),
    ],
)
def test_what_is_no_feature_is_said(make, found):
    with pytest.raises(ValueError, match=f'returns {found}: expected a vector'):
        ForeignFeatures(Returns(make), (64, 32))
