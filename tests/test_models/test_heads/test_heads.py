"""Each head reads the rows and names it should, and weighs its terms once."""

import pytest
import torch
from torch.nn.functional import batch_norm, cross_entropy

from hplreid.models import losses
from hplreid.registry import HEADS

CAPTIONED, IMAGE_ONLY = [0, 2, 5, 9], [1, 3, 4, 6, 7, 8]
SIZES = {'num_ids': 7, 'in_channels': 8}


def build(type_, **options):
    torch.manual_seed(0)
    return HEADS.build({'type': type_, **options}).double()


def features(bundle, *names):
    return [bundle._features[name][0] for name in names]


def assert_losses(head, bundle, expected):
    found = head.loss(bundle)
    assert list(found) == list(expected)
    torch.testing.assert_close(found, expected)


def test_sdm(bundle):
    v, t = features(bundle, 'v', 't')
    labels = bundle.labels[CAPTIONED]
    for tau in (0.02, 0.3):
        expected = losses.sdm_loss(v[CAPTIONED], t, labels, tau)
        assert_losses(build('SDMHead', tau=tau), bundle, {'loss_sdm': expected})


def test_cross_modal_id(bundle):
    v, t = features(bundle, 'v', 't')
    head = build('CrossModalIDHead', **SIZES)
    weight = torch.randn(7, 8, dtype=torch.float64)
    bias = torch.randn(7, dtype=torch.float64)
    head.load_state_dict({'classifier.weight': weight, 'classifier.bias': bias})
    labels = bundle.labels[CAPTIONED]
    expected = 0.5 * (
        cross_entropy(v[CAPTIONED] @ weight.T + bias, labels)
        + cross_entropy(t @ weight.T + bias, labels)
    )
    assert_losses(head, bundle, {'loss_cross_modal_id': expected})


@pytest.mark.parametrize('eps', [0.1, 0.0])
def test_id(bundle, eps):
    (u,) = features(bundle, 'u')
    head = build('IDHead', **SIZES, label_smoothing=eps)
    weight = torch.randn(7, 8, dtype=torch.float64)
    head.classifier.weight.data.copy_(weight)
    normal = batch_norm(u[IMAGE_ONLY], None, None, training=True)
    expected = cross_entropy(
        normal @ weight.T, bundle.labels[IMAGE_ONLY], label_smoothing=eps
    )
    assert_losses(head, bundle, {'loss_id': expected})


def test_id_without_a_neck(bundle):
    (u,) = features(bundle, 'u')
    head = build('IDHead', **SIZES, neck=None, group='all')
    assert list(head.state_dict()) == ['classifier.weight']
    logits = u @ head.classifier.weight.T
    expected = cross_entropy(logits, bundle.labels, label_smoothing=0.1)
    assert_losses(head, bundle, {'loss_id': expected})


@pytest.mark.parametrize('type_', ['IDHead', 'CrossModalIDHead'])
def test_classifiers_start_small(type_):
    head = build(type_, num_ids=300, in_channels=200)
    weight = head.classifier.weight
    assert weight.shape == (300, 200)
    assert weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert abs(weight.mean().item()) < 5e-5
    if type_ == 'IDHead':
        assert head.classifier.bias is None
    else:
        assert torch.equal(head.classifier.bias, torch.zeros(300).double())


@pytest.mark.parametrize('margin', [0.3, None])
def test_triplet(bundle, margin):
    (u,) = features(bundle, 'u')
    expected = losses.triplet_loss(u[IMAGE_ONLY], bundle.labels[IMAGE_ONLY], margin)
    head = build('TripletHead', margin=margin)
    assert_losses(head, bundle, {'loss_triplet': expected})


@pytest.mark.parametrize(('similarity', 'tau'), [('cosine', 0.02), ('dot', 1.0)])
def test_prompt_contrast(bundle, similarity, tau):
    v, r = features(bundle, 'v', 'prompt_identity')
    expected = {
        'loss_prompt_contrast_i2t': losses.image_to_prompt_loss(v, r, similarity, tau),
        'loss_prompt_contrast_t2i': losses.prompt_to_image_loss(v, r, similarity, tau),
    }
    assert_losses(build('PromptContrastHead', similarity=similarity), bundle, expected)


def test_prompt_contrast_literal_with_both_anchors(bundle):
    v, u, r = features(bundle, 'v', 'u', 'prompt_identity')
    head = build('PromptContrastHead', image=['v', 'u'], tau=1.0)
    expected = {
        'loss_prompt_contrast_i2t_v': losses.image_to_prompt_loss(v, r),
        'loss_prompt_contrast_t2i_v': losses.prompt_to_image_loss(v, r),
        'loss_prompt_contrast_i2t_u': losses.image_to_prompt_loss(u, r),
        'loss_prompt_contrast_t2i_u': losses.prompt_to_image_loss(u, r),
    }
    assert_losses(head, bundle, expected)


@pytest.mark.parametrize('distance', ['l2norm', 'raw'])
def test_inversion_consistency(bundle, distance):
    gv, v, gt, t = features(bundle, 'prompt_image', 'v', 'prompt_text', 't')
    expected = {
        'loss_inversion_prompt_image_v': losses.paired_distance(gv, v, distance),
        'loss_inversion_prompt_text_t': losses.paired_distance(gt, t, distance),
    }
    head = build('InversionConsistencyHead', distance=distance)
    assert_losses(head, bundle, expected)


def test_inversion_consistency_of_other_pairs(bundle):
    gv, u = features(bundle, 'prompt_image', 'u')
    pairs = [['prompt_image', 'u', 'image_only']]
    head = build('InversionConsistencyHead', pairs=pairs, distance='raw')
    expected = losses.paired_distance(gv[IMAGE_ONLY], u[IMAGE_ONLY])
    assert head.reads == ('prompt_image', 'u')
    assert_losses(head, bundle, {'loss_inversion_prompt_image_u': expected})


@pytest.mark.parametrize('distance', ['l2norm', 'raw'])
@pytest.mark.parametrize('pairing', ['cross', 'self'])
def test_prompt_align(bundle, pairing, distance):
    gv, v, gt, t = features(bundle, 'prompt_image', 'v', 'prompt_text', 't')
    gv, v = gv[CAPTIONED], v[CAPTIONED]
    guides = (gt, gv) if pairing == 'cross' else (gv, gt)
    expected = {
        'loss_prompt_align_tgps': losses.paired_distance(guides[0], v, distance),
        'loss_prompt_align_vgps': losses.paired_distance(guides[1], t, distance),
    }
    head = build('PromptAlignHead', pairing=pairing, distance=distance)
    assert_losses(head, bundle, expected)


@pytest.mark.parametrize(
    ('term', 'reads'), [('tgps', ('prompt_text', 'v')), ('vgps', ('prompt_image', 't'))]
)
def test_prompt_align_with_one_term_reads_no_more_than_it_needs(bundle, term, reads):
    head = build('PromptAlignHead', terms=[term])
    assert head.reads == reads
    both = build('PromptAlignHead').loss(bundle)
    key = f'loss_prompt_align_{term}'
    assert_losses(head, bundle, {key: both[key]})


@pytest.mark.parametrize('detach', [False, True])
def test_prompt_align_may_treat_prompts_as_constants(bundle, detach):
    sum(build('PromptAlignHead', detach_prompt=detach).loss(bundle).values()).backward()
    gv, v, gt, t = features(bundle, 'prompt_image', 'v', 'prompt_text', 't')
    assert v.grad is not None
    assert t.grad is not None
    assert (gv.grad is None) == detach
    assert (gt.grad is None) == detach


@pytest.mark.parametrize('reduce', ['mean', 'sum'])
@pytest.mark.parametrize(
    ('options', 'tau'),
    [({}, 0.02), ({'tau': 1.0}, 1.0), ({'similarity': 'dot'}, 1.0)],
)
def test_prompt_id(bundle, options, tau, reduce):
    (u,) = features(bundle, 'u')
    table = bundle.table('identity_prompts')
    kind = options.get('similarity', 'cosine')
    expected = losses.prompt_id_loss(u, table, bundle.labels, kind, tau, reduce)
    head = build('PromptIDHead', reduce=reduce, **options)
    assert_losses(head, bundle, {'loss_prompt_id': expected})


def test_prompt_id_with_smoothing_on_some_rows(bundle):
    (u,) = features(bundle, 'u')
    table = bundle.table('identity_prompts')
    expected = losses.prompt_id_loss(
        u[IMAGE_ONLY], table, bundle.labels[IMAGE_ONLY], 'cosine', 0.02, 'mean', 0.1
    )
    head = build('PromptIDHead', label_smoothing=0.1, group='image_only')
    assert_losses(head, bundle, {'loss_prompt_id': expected})


@pytest.mark.parametrize('reduce', ['sum', 'mean'])
def test_prompt_regularization(bundle, reduce):
    image, text = features(bundle, 'pseudo_image', 'pseudo_text')
    expected = losses.cmpr_loss(text, image[CAPTIONED], reduce)
    head = build('PromptRegularizationHead', reduce=reduce)
    assert_losses(head, bundle, {'loss_prompt_regularization': expected})


@pytest.mark.parametrize('targets', ['pairs', 'labels'])
def test_info_nce(bundle, targets):
    v, t = features(bundle, 'v', 't')
    labels = bundle.labels[CAPTIONED] if targets == 'labels' else None
    expected = losses.info_nce_loss(v[CAPTIONED], t, 14.3, labels)
    head = build('InfoNCEHead', targets=targets)
    assert_losses(head, bundle, {'loss_info_nce': expected})


def test_info_nce_at_a_fixed_temperature(bundle):
    v, t = features(bundle, 'v', 't')
    head = build('InfoNCEHead', tau=0.05, name='itc')
    assert head.reads == ('v', 't')
    expected = losses.info_nce_loss(v[CAPTIONED], t, 1 / 0.05)
    assert_losses(head, bundle, {'loss_itc': expected})


def test_masked_language_is_the_mean_over_words_not_over_captions(bundle):
    head = build('MaskedLanguageHead')
    expected = torch.tensor((9.0 + 0 + 2 + 7) / (3 + 0 + 1 + 2)).double()
    assert_losses(head, bundle, {'loss_masked_language': expected})


def test_no_masked_word_costs_nothing(bundle):
    bundle.put('masked_language', torch.zeros(4, 2).double(), 'captioned')
    head = build('MaskedLanguageHead')
    assert_losses(head, bundle, {'loss_masked_language': torch.tensor(0.0).double()})


def test_cmpm_and_cmpc(bundle):
    v, t = features(bundle, 'v', 't')
    labels = bundle.labels[CAPTIONED]
    expected = losses.cmpm_loss(v[CAPTIONED], t, labels)
    assert_losses(build('CMPMHead'), bundle, {'loss_cmpm': expected})
    head = build('CMPCHead', **SIZES)
    assert list(head.state_dict()) == ['classifier.weight']
    weight = head.classifier.weight
    expected = losses.cmpc_loss(v[CAPTIONED], t, labels, weight)
    assert_losses(head, bundle, {'loss_cmpc': expected})


@pytest.mark.parametrize('reduce', ['mean', 'sum'])
def test_tal(bundle, reduce):
    v, t = features(bundle, 'v', 't')
    labels = bundle.labels[CAPTIONED]
    expected = losses.tal_loss(v[CAPTIONED], t, labels, 0.2, 0.3, reduce)
    head = build('TALHead', tau=0.2, margin=0.3, reduce=reduce)
    assert_losses(head, bundle, {'loss_tal': expected})
