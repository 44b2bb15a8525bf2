"""Propot: what it offers, its loss and gradients, several processes, inference."""

import pytest
import torch
from mmengine.registry import DefaultScope

from hplreid.models.heads.prototype_contrast_head import SUBSETS
from hplreid.models.losses import prototype_contrast_loss
from hplreid.models.part import PartError
from hplreid.models.reid import DualEncoder, Propot
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.checkpoints.load_weights import load_inference_weights

from .tiny import (
    ARCH,
    NUM_IDS,
    build_hpl,
    enter,
    make_batch,
    slice_batch,
)
from .two_processes import in_two_processes, losses_and_gradients

LEARNER = dict(type='PrototypeLearner', num_vectors=2, num_heads=2)
SHARES = (((0, 1), (4, 5, 6, 7)), ((2, 3), (8, 9, 10, 11)))


def p2i(**options):
    return dict(
        type='PrototypeContrastHead', tau=0.1, **{'learner': LEARNER, **options}
    )


def features(seed=5, names=('v', 't')):
    """Features of a training set of made-up items, one identity without captions."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, count in zip(names, (20, 15), strict=True):
        last = NUM_IDS if name == 'v' else NUM_IDS - 1
        labels = torch.randint(0, last, (count,), generator=generator)
        found[name] = torch.randn(count, 16, generator=generator), labels
    return found


def build(num_ids=NUM_IDS, head=None, fill=True, **options):
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(0)
    config = dict(
        type='Propot',
        image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
        text_encoder=dict(type='CLIPTextEncoder'),
        heads=dict(
            align=[
                dict(type='SDMHead', tau=0.1),
                dict(type='CrossModalIDHead'),
                p2i() if head is None else head,
            ]
        ),
        num_ids=num_ids,
    )
    model = MODELS.build({**config, **options}).double()
    if num_ids is not None:
        model.enter_stage('align')
        if fill:
            model.receive_features(features())
    return model.train()


@pytest.mark.parametrize('reduce', ['mean', 'sum'])
def test_initial_prototypes_by_loops(reduce):
    model = build(prototypes=reduce)
    tables = model.prototypes.tables()
    for name, feature in (('prototypes_image', 'v'), ('prototypes_text', 't')):
        values, labels = features()[feature]
        for identity in range(NUM_IDS):
            own = [v for v, y in zip(values, labels, strict=True) if y == identity]
            expected = sum(own, torch.zeros(16))
            if reduce == 'mean':
                expected = expected / max(len(own), 1)
            torch.testing.assert_close(
                tables[name][identity].float(), expected, rtol=1e-5, atol=1e-6
            )
    assert not tables['prototypes_text'][-1].any()  # nobody described this one


@pytest.mark.parametrize('subset', ['batch_ids', 'all'])
def test_loss_of_the_head_is_that_of_its_parts(subset):
    model, batch = build(head=p2i(subset=subset, loss_weight=0.2)), make_batch()
    rows, labels = batch['caption_rows'], batch['labels'][batch['caption_rows']]
    v = model.image_encoder(batch['images'])['v'][rows]
    t = model.text_encoder(batch['masked_captions'])['t']  # its augmentation
    learner, tables = model.heads['align'][2].learner, model.prototypes
    prototypes = learner(
        {
            'image': tables.prototypes_image[labels],
            'text': tables.prototypes_text[labels],
        },
        {'image': v, 'text': t},
        labels,
    )
    losses = model.loss(batch)
    for modality, instances in (('image', v), ('text', t)):
        expected = prototype_contrast_loss(
            instances, prototypes[modality], labels, tau=0.1
        )
        torch.testing.assert_close(losses[f'loss_p2i_{modality}'], 0.2 * expected)


def test_prototypes_of_the_batch_give_loss_and_gradients_of_all():
    found = []
    for subset in ('batch_ids', 'all'):
        model = build(head=p2i(subset=subset))
        losses = model.loss(make_batch())
        sum(losses.values()).backward()
        found.append((losses, {n: p.grad for n, p in model.named_parameters()}))
    (losses, gradients), (others, all_gradients) = found
    torch.testing.assert_close(losses, others, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gradients, all_gradients, rtol=1e-9, atol=1e-12)


def test_gradients_reach_towers_and_prompts_but_not_initial_prototypes():
    model = build()
    before = {k: v.clone() for k, v in model.prototypes.state_dict().items()}
    losses = model.loss(make_batch())
    (losses['loss_p2i_image'] + losses['loss_p2i_text']).backward()
    for name, parameter in model.named_parameters():
        trained = name.startswith(('image_encoder', 'text_encoder', 'heads.align.2'))
        if trained:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name
    assert not list(model.prototypes.parameters())
    torch.testing.assert_close(dict(model.prototypes.state_dict()), before)


def test_instances_learn_as_keys_too():
    """Without detaching: the captions' loss moves the image tower (IPP, inter)."""
    model = build()
    model.loss(make_batch())['loss_p2i_text'].backward()
    assert model.image_encoder.visual.proj.grad.abs().sum() > 0


def test_initial_prototypes_alone_have_nothing_to_learn():
    model = build(head=p2i(learner=None))
    assert not list(model.heads['align'][2].parameters())
    batch = make_batch()
    labels = batch['labels'][batch['caption_rows']]
    v = model.image_encoder(batch['images'])['v'][batch['caption_rows']]
    expected = prototype_contrast_loss(
        v, model.prototypes.prototypes_image[labels], labels, tau=0.1
    )
    torch.testing.assert_close(model.loss(batch)['loss_p2i_image'], expected)


def test_unfilled_prototypes_are_an_error_that_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"needs init_features=dict\(names=\['v'"):
        build(fill=False).loss(make_batch())


@pytest.mark.parametrize(
    ('options', 'given', 'message'),
    [
        (
            dict(type='DualEncoder', head=dict(type='SDMHead', name='second')),
            features(),
            'no use for',
        ),
        ({}, {'v': features()['v']}, r"\['v'\] lack \['t'\]"),
    ],
)
def test_features_that_do_not_fit_are_an_error(options, given, message):
    with pytest.raises(ValueError, match=message):
        build(**options, fill=False).receive_features(given)


def test_how_prototypes_are_made_is_checked():
    with pytest.raises(ValueError, match="prototypes='median'"):
        build(prototypes='median')


def test_a_head_without_tables_is_an_error():
    with pytest.raises(PartError, match="reads 'prototypes_image'"):
        build(prototypes=None)


def test_inference_is_the_two_towers(tmp_path):
    model = build()
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
    assert isinstance(model, Propot)
    inference = build(num_ids=None)
    plain = DualEncoder(
        dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
        dict(type='CLIPTextEncoder'),
    )
    assert inference.state_dict().keys() == plain.state_dict().keys()
    said = load_inference_weights(inference, tmp_path / 'a.pth')
    assert 'prototypes (3)' in said
    batch, samples = make_batch(), [ReIDDataSample() for _ in range(12)]
    inference.eval()(batch, samples, mode='predict')
    t = model.text_encoder(batch['captions'])['t']
    torch.testing.assert_close(samples[1].t2i_feat, t[1].detach().float())


def test_a_checkpoint_keeps_the_prototypes():
    model, other = build(), build(fill=False)
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.loss(make_batch()), model.loss(make_batch()))


def test_hpl_takes_prototypes_by_its_config():
    heads = dict(construct=[], align=[p2i()])
    model = enter(build_hpl(heads=heads, prototypes='mean'), 'align')
    model.receive_features(features())
    losses = model.loss(make_batch())
    assert set(losses) == {'loss_p2i_image', 'loss_p2i_text'}
    sum(losses.values()).backward()
    assert model.image_encoder.visual.proj.grad.abs().sum() > 0


def _build(subset):
    model = build(head=p2i(subset=subset))
    model.logit_scale.requires_grad_(False)
    return model


def _work(rank):
    share = slice_batch(make_batch(), *SHARES[rank])
    return {s: losses_and_gradients(_build(s), share) for s in SUBSETS}


def test_two_processes_equal_one(tmp_path):
    """Prototypes see the instances of the global batch."""
    found = in_two_processes(_work, tmp_path)
    for subset in SUBSETS:
        expected = losses_and_gradients(_build(subset), make_batch())
        for rank in found:
            torch.testing.assert_close(rank[subset], expected, rtol=0, atol=1e-10)
