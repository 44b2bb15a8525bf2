"""Methods say truly what they offer; what doesn't fit is refused in words."""

import pytest
import torch
from mmengine.registry import DefaultScope

from hplreid.models.part import PartError
from hplreid.registry import MODELS
from hplreid.structures.feature_form import FeatureForm
from tests.test_swaps.methods import IMAGE_ALONE, METHODS, config_of
from tests.test_swaps.parts import INVERSIONS, SIZE, TOWERS, part

from .tiny import ARCH, make_batch

DIMS = {'vector': 2, 'tokens': 3, 'map': 4, 'pseudo-tokens': 3, 'ids': 2, 'place': 1}
VIT = dict(type='CLIPImageEncoder', arch=ARCH, img_size=SIZE)


@pytest.fixture(autouse=True, scope='module')
def _scope():
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


def assert_forms_hold(model, stage, captioned):
    batch = make_batch(captioned=4 if captioned else 0)
    model.enter_stage(stage)
    forms = model.forms(stage)
    names = {n for n in forms if not n.startswith('prototypes')}
    bundle = model.double().eval().extract(batch, names)
    for name, form in forms.items():
        if name not in bundle.names:
            assert not captioned or form.kind == 'table'
            continue
        group = bundle.group_of(name)
        assert group == form.rows, name
        if group is None:
            continue
        value = bundle.select(name, group)[0]
        if form.kind == 'costs':
            assert value.shape[1:] == (2,)
            continue
        assert value.dim() == DIMS[form.kind], name
        if form.width is not None:
            assert value.shape[1 if form.kind == 'map' else -1] == form.width, name


@pytest.mark.parametrize('method', METHODS)
def test_offers_are_what_is_made(method):
    model = MODELS.build(config_of(method))
    for stage in model.heads:
        assert_forms_hold(model, stage, method not in IMAGE_ALONE)


@pytest.mark.parametrize('name', [n for n in TOWERS if 'Text' not in n])
def test_a_tower_makes_what_it_says(name):
    if name == 'CLIPPromptEncoder':
        return
    config = dict(
        type='ImageReID',
        image_encoder=part(TOWERS, name),
        num_ids=6,
        heads=dict(identify=[]),
    )
    if name == 'ResNetEncoder':
        pooled = dict(type='GlobalAveragePool', reads='map')
        config |= dict(necks=dict(pooled=pooled), i2i_feature='pooled')
    assert_forms_hold(MODELS.build(config), 'identify', False)


@pytest.mark.parametrize('inversion', INVERSIONS)
@pytest.mark.parametrize('tower', ['CLIPResNetEncoder', 'TransReIDEncoder'])
def test_a_tower_told_what_is_read_makes_what_is_inverted(inversion, tower):
    """A ResNet makes no ``v`` unless it is told that someone reads it."""
    config = config_of('HPL')
    config['image_encoder'] = part(TOWERS, tower)
    heads = [dict(type='PromptRegularizationHead')]
    config |= dict(
        text_encoder=dict(type='CLIPTextEncoder', arch=ARCH),
        prompt_encoder=dict(type='CLIPPromptEncoder', arch=ARCH),
        image_inversion=part(INVERSIONS, inversion),
        text_inversion=part(INVERSIONS, inversion),
        heads=dict(align=heads),
        necks=dict(j=dict(type='LinearNeck', reads='v', out_channels=16)),
        t2i_feature='j',
    )
    model = MODELS.build(config).double()
    model.enter_stage('align')
    losses = model.train().loss(make_batch())
    assert all(torch.isfinite(value) for value in losses.values())


IMAGE_REID = dict(type='ImageReID', image_encoder=VIT, num_ids=6, i2i_feature='v')
OWN = dict(type='OwnOSNet', widths=(8, 20))


def with_head(**options):
    return dict(IMAGE_REID, heads=dict(s=[dict(group='all', **options)]))


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (
            dict(IMAGE_REID, feature_dims=dict(v=17)),
            r'feature_dims.v=17, but .v. has 16',
        ),
        (dict(IMAGE_REID, feature_dims=dict(w=16)), 'feature_dims .*w.*offers'),
        (dict(IMAGE_REID, image_encoder=OWN, feature_dims=dict(map=8)), 'has 20 chan'),
        (with_head(type='IDHead', feature='v', in_channels=8), 'in_channels=8, but'),
        (with_head(type='IDHead', feature='image_tokens'), 'expected vector'),
        (
            dict(
                IMAGE_REID, necks=dict(n=dict(type='BNNeck', reads='v', in_channels=3))
            ),
            'necks.n.in_channels=3, but',
        ),
        (
            dict(IMAGE_REID, necks=dict(n=dict(type='GeM', reads='v'))),
            "GeM reads 'v', vector .* expected map",
        ),
        (
            dict(IMAGE_REID, necks={'a.b': dict(type='BNNeck', reads='v')}),
            "can't be called",
        ),
        (dict(IMAGE_REID, i2i_feature='image_tokens'), 'expected one vector an image'),
        (dict(IMAGE_REID, image_encoder=dict(type='BNNeck')), 'is a neck'),
        (
            dict(IMAGE_REID, image_encoder=dict(arch=ARCH)),
            'expected a dict with a `type`',
        ),
        (
            dict(IMAGE_REID, image_encoder=dict(VIT, strid=8)),
            "unexpected keyword argument 'strid'",
        ),
        (
            dict(IMAGE_REID, image_encoder=dict(type='mmpretrain.ResNet', depth=19)),
            'mmpretrain.ResNet can not be built .*19',
        ),
        (
            with_head(type='IDHead', feature='v', neck=dict(type='GlobalAveragePool')),
            'IDHead.neck: GlobalAveragePool reads',
        ),
        (dict(IMAGE_REID, heads=dict(s=[dict(type='BNNeck')])), 'is a neck'),
    ],
)
def test_refused(config, message):
    with pytest.raises(PartError, match=message):
        MODELS.build(config)


def test_two_text_towers_of_different_widths_are_refused():
    config = config_of('HPL')
    config['prompt_encoder'] = dict(
        type='CLIPPromptEncoder', arch='ViT-Ti-16-synthpeds'
    )
    config['heads'] = dict(align=[dict(type='SDMHead')])
    with pytest.raises(PartError, match='reads embeddings of width'):
        MODELS.build(config)


def test_a_form_has_a_known_kind():
    with pytest.raises(ValueError, match="kind='list'"):
        FeatureForm('list')
