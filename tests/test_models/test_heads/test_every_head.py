"""What holds for all heads: names, weights, groups, separate halves, errors."""

import pytest
import torch
from mmengine.config import Config

from hplreid.models import heads
from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle

SIZES = {'num_ids': 7, 'in_channels': 8}
CONFIGS = {
    'SDMHead': {},
    'CrossModalIDHead': SIZES,
    'IDHead': SIZES,
    'TripletHead': {},
    'CenterHead': SIZES,
    'PromptContrastHead': {},
    'InversionConsistencyHead': {},
    'PromptAlignHead': {},
    'PromptIDHead': {},
    'PromptRegularizationHead': {},
    'InfoNCEHead': {},
    'MaskedLanguageHead': {},
    'PrototypeContrastHead': {
        **SIZES,
        'learner': {'type': 'PrototypeLearner', 'num_vectors': 2, 'num_heads': 2},
        'tau': 0.5,
    },
    'CMPMHead': {},
    'CMPCHead': SIZES,
    'TALHead': {'tau': 0.5, 'margin': 1.0},  # at which no pair is done with
}
READS = {
    'SDMHead': ('v', 't'),
    'CrossModalIDHead': ('v', 't'),
    'IDHead': ('u',),
    'TripletHead': ('u',),
    'CenterHead': ('u',),
    'PromptContrastHead': ('v', 'prompt_identity'),
    'InversionConsistencyHead': ('prompt_image', 'v', 'prompt_text', 't'),
    'PromptAlignHead': ('prompt_text', 'v', 'prompt_image', 't'),
    'PromptIDHead': ('u', 'identity_prompts'),
    'PromptRegularizationHead': ('pseudo_image', 'pseudo_text'),
    'InfoNCEHead': ('v', 't', 'logit_scale'),
    'MaskedLanguageHead': ('masked_language',),
    'PrototypeContrastHead': ('v', 't', 'prototypes_image', 'prototypes_text'),
    'CMPMHead': ('v', 't'),
    'CMPCHead': ('v', 't'),
    'TALHead': ('v', 't'),
}
CAPTIONED_ONLY = [
    'SDMHead',
    'CrossModalIDHead',
    'PromptAlignHead',
    'PromptRegularizationHead',
    'InfoNCEHead',
    'CMPMHead',
    'PrototypeContrastHead',
    'CMPCHead',
    'TALHead',
]
IMAGES_ONLY = ['CenterHead', 'IDHead', 'TripletHead']
each_head = pytest.mark.parametrize('type_', CONFIGS)


def build(type_, **options):
    torch.manual_seed(0)
    return HEADS.build({'type': type_, **CONFIGS[type_], **options}).double()


def with_features(bundle, change):
    """The bundle with each feature changed by ``change(value, group)``."""
    other = FeatureBundle(bundle.labels, *bundle.rows.values())
    for name, (value, group) in bundle._features.items():
        other.put(name, change(value.detach().clone(), group), group)
    for name, table in bundle._tables.items():
        other.put_table(name, table)
    return other


def test_every_head_is_registered_and_tested():
    concrete = set(heads.__all__) - {'BaseHead'}
    assert concrete == set(CONFIGS)
    for name in concrete:
        assert HEADS.get(name) is getattr(heads, name)


@each_head
def test_reads_what_it_says_and_nothing_else(type_, bundle):
    head = build(type_)
    assert head.reads == READS[type_]
    lean = FeatureBundle(bundle.labels, *bundle.rows.values())
    for name in head.reads:
        if name in bundle._tables:
            lean.put_table(name, bundle.table(name))
        else:
            lean.put(name, *bundle._features[name])
    expected = build(type_).loss(bundle)
    torch.testing.assert_close(head.loss(lean), expected)


@each_head
def test_a_missing_name_is_an_error_that_lists_what_is_offered(type_, bundle):
    head = build(type_)
    for name in head.reads:
        lean = FeatureBundle(bundle.labels, *bundle.rows.values())
        for other in set(head.reads) - {name}:
            if other in bundle._tables:
                lean.put_table(other, bundle.table(other))
            else:
                lean.put(other, *bundle._features[other])
        with pytest.raises(KeyError, match=f"No feature '{name}' on offer"):
            head.loss(lean)


@each_head
def test_weight_counts_once_and_name_changes_the_keys(type_, bundle):
    plain = build(type_).loss(bundle)
    weighted = build(type_, loss_weight=0.4, name='second').loss(bundle)
    default = getattr(heads, type_).default_name
    assert all(key.startswith(f'loss_{default}') for key in plain)
    expected = {
        key.replace(f'loss_{default}', 'loss_second', 1): 0.4 * value
        for key, value in plain.items()
    }
    torch.testing.assert_close(weighted, expected)


def test_default_names_are_distinct():
    names = [getattr(heads, type_).default_name for type_ in CONFIGS]
    assert len(set(names)) == len(names)


@each_head
def test_gradient_reaches_every_feature_and_parameter(type_, bundle):
    head = build(type_)
    sum(head.loss(bundle).values()).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    for name in set(head.reads) & set(bundle._features):
        value, _ = bundle._features[name]
        if value.is_leaf:
            assert value.grad.abs().sum() > 0, name


@each_head
def test_bf16_under_autocast_is_finite(type_, make_bundle):
    head = build(type_).float()
    with torch.autocast('cpu', torch.bfloat16):
        found = head.loss(make_bundle(dtype=torch.bfloat16))
    assert all(x.dtype == torch.float32 and x.isfinite() for x in found.values())


@pytest.mark.parametrize('type_', CAPTIONED_ONLY)
def test_rows_without_captions_leave_captioned_losses_alone(type_, bundle):
    rows = bundle.rows['image_only']

    def change(value, group):
        if group == 'all':
            value[rows] = torch.randn_like(value[rows])
        return value

    expected = build(type_).loss(bundle)
    found = build(type_).loss(with_features(bundle, change))
    assert found == expected


@pytest.mark.parametrize('type_', IMAGES_ONLY)
def test_captioned_rows_leave_image_only_losses_alone(type_, bundle):
    rows = bundle.rows['captioned']

    def change(value, group):
        if group == 'all':
            value[rows] = torch.randn_like(value[rows])
            return value
        return torch.randn_like(value)

    expected = build(type_).loss(bundle)
    found = build(type_).loss(with_features(bundle, change))
    assert found == expected


@pytest.mark.parametrize('type_', CAPTIONED_ONLY + IMAGES_ONLY)
def test_own_rows_do_change_the_loss(type_, bundle):
    rows = bundle.rows['captioned' if type_ in CAPTIONED_ONLY else 'image_only']

    def change(value, group):
        if group == 'all':
            value[rows[0]] *= -2  # a norm doesn't see a shift
        return value

    expected = build(type_).loss(bundle)
    found = build(type_).loss(with_features(bundle, change))
    assert all(found[key] != expected[key] for key in expected if 'vgps' not in key)
    assert any(found[key] != expected[key] for key in expected)


@each_head
def test_order_of_the_batch_does_not_matter(type_, bundle):
    order = torch.tensor([7, 2, 9, 0, 4, 1, 8, 3, 6, 5])
    place = order.argsort()  # new row of each old row
    rows = [place[old] for old in bundle.rows.values()]
    shuffled = FeatureBundle(bundle.labels[order], *rows)
    for name, (value, group) in bundle._features.items():
        shuffled.put(name, value[order] if group == 'all' else value, group)
    for name, table in bundle._tables.items():
        shuffled.put_table(name, table)
    torch.testing.assert_close(
        build(type_).loss(shuffled), build(type_).loss(bundle), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize('type_', ['IDHead', 'TripletHead', 'PromptIDHead'])
@pytest.mark.parametrize('group', ['all', 'captioned', 'image_only'])
def test_group_selects_rows(type_, group, bundle):
    rows = bundle.rows.get(group, torch.arange(10))
    empty = torch.zeros(0, dtype=torch.int64)
    alone = FeatureBundle(bundle.labels[rows], empty, empty)
    alone.put('u', bundle._features['u'][0][rows])
    alone.put_table('identity_prompts', bundle.table('identity_prompts'))
    expected = build(type_, group='all').loss(alone)
    torch.testing.assert_close(build(type_, group=group).loss(bundle), expected)


@pytest.mark.parametrize('type_', CAPTIONED_ONLY)
@pytest.mark.parametrize('group', ['all', 'image_only'])
def test_a_group_that_a_feature_does_not_cover_is_an_error(type_, group, bundle):
    with pytest.raises(ValueError, match=f"'{group}' were asked for"):
        build(type_, group=group).loss(bundle)


@each_head
def test_a_batch_without_the_rows_of_the_group_is_an_error(type_):
    empty = torch.zeros(0, dtype=torch.int64)
    bundle = FeatureBundle(empty, empty, empty)
    for name in ('v', 'u', 'prompt_image', 'prompt_identity'):
        bundle.put(name, torch.zeros(0, 8))
    for name in ('t', 'prompt_text'):
        bundle.put(name, torch.zeros(0, 8), 'captioned')
    bundle.put('pseudo_image', torch.zeros(0, 2, 8))
    bundle.put('pseudo_text', torch.zeros(0, 2, 8), 'captioned')
    bundle.put_table('identity_prompts', torch.zeros(7, 8))
    bundle.put_table('logit_scale', torch.tensor(1.0))
    bundle.put('masked_language', torch.zeros(0, 2), 'captioned')
    with pytest.raises(ValueError, match=f'{type_} .* no such rows'):
        build(type_).loss(bundle)


@pytest.mark.parametrize(
    ('type_', 'options', 'message'),
    [
        ('SDMHead', {'group': 'text'}, "group='text': expected one of"),
        ('SDMHead', {'loss_weight': -1}, 'loss_weight=-1:'),
        ('SDMHead', {'loss_weight': True}, 'loss_weight=True:'),
        ('SDMHead', {'name': ''}, "name='':"),
        ('SDMHead', {'image': None}, 'None: expected the name of a feature'),
        ('SDMHead', {'tau': 0}, 'tau=0:'),
        ('IDHead', {'num_ids': 0}, 'num_ids=0:'),
        ('IDHead', {'num_ids': None}, 'num_ids=None:'),
        ('CrossModalIDHead', {'in_channels': 8.0}, r'in_channels=8\.0:'),
        ('IDHead', {'label_smoothing': 2}, 'label_smoothing=2:'),
        ('TripletHead', {'margin': 0}, 'margin=0:'),
        ('PromptContrastHead', {'image': ()}, r'image=\(\):'),
        ('PromptContrastHead', {'image': ('v', 'v')}, 'expected distinct names'),
        ('PromptContrastHead', {'similarity': 'l2'}, "similarity='l2':"),
        ('InversionConsistencyHead', {'pairs': ()}, r'pairs=\(\):'),
        ('InversionConsistencyHead', {'pairs': [('a', 'b')]}, r"\('a', 'b'\) is not"),
        ('InversionConsistencyHead', {'pairs': [('a', 'b', 'c')]}, 'is not'),
        ('InversionConsistencyHead', {'pairs': [('a', 'b', 'all')] * 2}, 'distinct'),
        ('InversionConsistencyHead', {'distance': 'l1'}, "distance='l1':"),
        ('PromptAlignHead', {'terms': ()}, r'terms=\(\):'),
        ('PromptAlignHead', {'terms': 'tgps'}, "terms='tgps':"),
        ('PromptAlignHead', {'terms': ['tgps', 'igps']}, "terms='igps':"),
        ('PromptAlignHead', {'terms': ['tgps', 'tgps']}, 'expected distinct'),
        ('PromptAlignHead', {'pairing': 'both'}, "pairing='both':"),
        ('PromptAlignHead', {'distance': 'l1'}, "distance='l1':"),
        ('PromptIDHead', {'reduce': 'none'}, "reduce='none':"),
        ('PromptRegularizationHead', {'reduce': 'max'}, "reduce='max':"),
        ('InfoNCEHead', {'targets': 'soft'}, "targets='soft':"),
        ('InfoNCEHead', {'tau': 0}, 'tau=0:'),
        ('InfoNCEHead', {'tau': -0.1}, r'tau=-0\.1:'),
        ('MaskedLanguageHead', {'feature': ''}, "'': expected the name"),
        ('CMPCHead', {'num_ids': 0}, 'num_ids=0:'),
        ('CMPCHead', {'in_channels': 8.0}, r'in_channels=8\.0:'),
        ('TALHead', {'reduce': 'max'}, "reduce='max':"),
        ('PrototypeContrastHead', {'subset': 'batch'}, "subset='batch':"),
        ('PrototypeContrastHead', {'reduce': 'max'}, "reduce='max':"),
        ('PrototypeContrastHead', {'tau': 0}, 'tau=0:'),
    ],
)
def test_rejected_arguments_are_named(type_, options, message):
    with pytest.raises(ValueError, match=message):
        build(type_, **options)


def test_a_neck_of_no_registered_type_is_an_error():
    with pytest.raises(ValueError, match="Did you mean 'BNNeck'"):
        build('IDHead', neck={'type': 'BNeck'})


def test_a_neck_config_is_left_as_it_was():
    config = Config({'neck': {'type': 'BNNeck'}})
    build('IDHead', neck=config.neck)
    assert config.neck == {'type': 'BNNeck'}


@each_head
def test_state_dict_round_trip(type_, bundle):
    head = build(type_)
    head.loss(bundle)  # moves the running statistics of a neck
    torch.manual_seed(9)
    other = HEADS.build({'type': type_, **CONFIGS[type_]}).double()
    other.load_state_dict(head.state_dict())
    torch.testing.assert_close(other.loss(bundle), head.loss(bundle))
    torch.testing.assert_close(other.state_dict(), head.state_dict())
